#include <fmt/format.h>

#include "halftone/passes/pass.h"

namespace halftone::passes {

ir::Graph unroll_splits(ir::Graph graph) {
  ir::Nodes nodes;
  for (ir::Node& node : graph.nodes) {
    const auto* split = std::get_if<ir::Split>(&node.op);
    if (split == nullptr) {
      nodes.push_back(std::move(node));
      continue;
    }
    std::int64_t start = 0;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const std::int64_t end = start + split->sizes[i];
      nodes.push_back({fmt::format("{}_{}", node.name, i),
                       ir::Slice{.starts = {start}, .ends = {end}, .axes = {split->axis}, .steps = {}},
                       node.inputs,
                       {node.outputs[i]}});
      start = end;
    }
  }
  graph.nodes = std::move(nodes);
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::passes
