// A graph as torch runs it: the op table applied node after node, so that gradients flow back to its
// constants.
#pragma once

#include <torch/types.h>
#include <ATen/core/grad_mode.h>

#include <span>
#include <string>
#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::qat {

// A constant that training changes.
struct Parameter {
  std::string name;
  torch::Tensor tensor;
};

// Changes values on their way through a run.
class Passage {
 public:
  virtual ~Passage() = default;
  // Before every run.
  virtual void begin() {}
  // Gives node `node` its input `input`, a constant.
  virtual torch::Tensor operand(std::size_t node, std::size_t input, const torch::Tensor& given) = 0;
  // Gives the readers of a value what they see of it: of an input, or of what a node computed.
  virtual torch::Tensor result(ir::ValueId id, const torch::Tensor& computed) = 0;
};

class TorchGraph {
 public:
  // Copies the constants. Throws UnsupportedError naming the first node without a torch form, or a constant
  // torch has no type for.
  explicit TorchGraph(ir::Graph graph);

  // Outputs in the graph's order; inputs are not checked.
  std::vector<torch::Tensor> run(std::span<const torch::Tensor> inputs, Passage* passage = nullptr) const;

  // Every float32 constant that a node reads, except the statistics of BatchNormalization; they carry
  // gradients.
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  ir::Graph graph_;
  std::vector<torch::Tensor> constants_;  // undefined for values that are computed
  std::vector<Parameter> parameters_;
};

// A view of the tensor's elements, which must outlive it: float32 and int64. Throws UnsupportedError naming
// `where`.
torch::Tensor view_as_torch(const Tensor& tensor, std::string_view where);
Tensor from_torch(const torch::Tensor& tensor);

}  // namespace halftone::qat
