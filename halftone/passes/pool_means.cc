#include <set>

#include "halftone/ir/infer.h"
#include "halftone/passes/pass.h"

namespace halftone::passes {
namespace {

// Whether it is the mean over all of space of [N, C, space…].
bool is_over_space(const ir::ReduceMean& mean, const Shape& x) {
  if (x.size() != 3 && x.size() != 4) return false;
  std::set<int> axes;
  for (std::int64_t axis : mean.over.axes) axes.insert(normalize_axis(axis, x.size(), "ReduceMean"));
  return axes == (x.size() == 3 ? std::set<int>{2} : std::set<int>{2, 3});
}

}  // namespace

ir::Graph pool_means(ir::Graph graph) {
  const ir::Nodes before = std::move(graph.nodes);
  graph.nodes.clear();
  for (const ir::Node& node : before) {
    const auto* mean = std::get_if<ir::ReduceMean>(&node.op);
    const Shape x = node.inputs.empty() ? Shape{} : graph.value(node.inputs[0]).shape;
    if (mean == nullptr || !is_over_space(*mean, x)) {
      graph.nodes.push_back(node);
    } else if (mean->over.keepdims) {
      graph.nodes.push_back({node.name, ir::GlobalAveragePool{}, node.inputs, node.outputs});
    } else {
      const std::string name = graph.value(node.outputs[0]).name;
      const ir::ValueId pooled = graph.add_node(ir::GlobalAveragePool{}, node.inputs, name + "_pooled");
      graph.nodes.back().name = node.name;
      ir::Squeeze squeeze;
      for (std::size_t d = 2; d < x.size(); ++d) squeeze.axes.push_back(static_cast<std::int64_t>(d));
      graph.nodes.push_back({node.name + "_squeeze", squeeze, {pooled}, node.outputs});
    }
  }
  return graph;
}

}  // namespace halftone::passes
