// The plain integer interpreter: the oracle that every other way of running the integers must equal.
#pragma once

#include <memory>

#include "halftone/ir/interpreter.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::qgraph {

class Interpreter : public ir::Executor {
 public:
  explicit Interpreter(QuantizedGraph graph);
  // The visitor sees integers as integers, under the names they have in the file.
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit = {}) const override;
  const QuantizedGraph& graph() const { return graph_; }

 private:
  QuantizedGraph graph_;
  std::vector<std::size_t> last_reader_;
  std::vector<std::vector<std::int32_t>> weights_;  // by node: centred
  std::vector<std::unique_ptr<ir::Interpreter>> islands_;  // by node
};

}  // namespace halftone::qgraph
