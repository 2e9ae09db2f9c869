// The plain integer interpreter: the oracle that every other way of running the integers must equal.
#pragma once

#include <functional>
#include <memory>

#include "halftone/ir/interpreter.h"
#include "halftone/qgraph/quantized_graph.h"
#include "halftone/qgraph/sums.h"

namespace halftone::qgraph {

using SumsVisitor = std::function<void(const Node& node, const Sums& sums)>;

class Interpreter : public ir::Executor {
 public:
  explicit Interpreter(QuantizedGraph graph);
  // The visitor sees integers as integers, under the names they have in the file.
  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit = {}) const override;
  // The same, and the sums of each node that rounds some, before its output is visited.
  std::vector<Tensor> run_with_sums(std::span<const Tensor> inputs, const ir::Visitor& visit, const SumsVisitor& visit_sums) const;
  const QuantizedGraph& graph() const { return graph_; }

 private:
  QuantizedGraph graph_;
  std::vector<std::size_t> last_reader_;
  std::vector<std::vector<std::int32_t>> weights_;  // by node: centred
  std::vector<std::unique_ptr<ir::Interpreter>> islands_;  // by node
};

}  // namespace halftone::qgraph
