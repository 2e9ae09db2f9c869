#include <algorithm>

#include "halftone/passes/pass.h"

namespace halftone::passes {

ir::Graph fold_constants(ir::Graph graph) {
  for (const ir::Node& node : graph.nodes) {
    const bool fixed = std::ranges::all_of(
        node.inputs, [&](ir::ValueId id) { return id == ir::kNoValue || graph.constant(id) != nullptr; });
    if (!fixed) continue;
    std::vector<const Tensor*> inputs;
    for (ir::ValueId id : node.inputs) inputs.push_back(graph.constant(id));
    std::vector<Tensor> results = ir::evaluate_op(node.op, inputs);
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      graph.value(node.outputs[i]).constant = std::move(results[i]);
  }
  std::erase_if(graph.nodes,
                [&](const ir::Node& node) { return graph.constant(node.outputs[0]) != nullptr; });
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::passes
