// The plain float interpreter: every op's float meaning, one after another. On a graph with
// Quantize/Dequantize pairs it is the simulation of docs/arithmetic.md section 8.
#pragma once

#include "halftone/ir/executor.h"
#include "halftone/ir/graph.h"

namespace halftone::ir {

class Interpreter : public Executor {
 public:
  // Computes what depends on constants alone once, here.
  explicit Interpreter(Graph graph);
  std::vector<Tensor> run(std::span<const Tensor> inputs, const Visitor& visit = {}) const override;

 private:
  Graph graph_;
  std::vector<std::size_t> last_reader_;  // node after which a value may be freed
};

// Throws InputError unless `tensors` fit the graph's inputs (kDynamic fits any size).
void check_inputs(const Graph& graph, std::span<const Tensor> tensors);

}  // namespace halftone::ir
