#include <algorithm>

#include "halftone/passes/pass.h"

namespace halftone::passes {

ir::Graph remove_identity(ir::Graph graph) {
  std::vector<ir::ValueId> same(graph.values.size());
  for (std::size_t v = 0; v < same.size(); ++v) same[v] = static_cast<ir::ValueId>(v);
  for (ir::Node& node : graph.nodes) {
    for (ir::ValueId& id : node.inputs)
      if (id != ir::kNoValue) id = same[static_cast<std::size_t>(id)];
    // An output keeps its name, so the node that gives it that name stays.
    const bool named = std::ranges::find(graph.outputs, node.outputs[0]) != graph.outputs.end();
    const auto* cast = std::get_if<ir::Cast>(&node.op);
    const bool same_type = cast != nullptr && graph.value(node.inputs[0]).dtype == cast->to;
    if ((std::holds_alternative<ir::Identity>(node.op) || same_type) && !named)
      same[static_cast<std::size_t>(node.outputs[0])] = node.inputs[0];
  }
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::passes
