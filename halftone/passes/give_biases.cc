#include "halftone/passes/pass.h"
#include "halftone/passes/rewrite.h"

namespace halftone::passes {
namespace {

// Whether the node is a layer that may have a bias and has none: y [N, M] or [N, M, …].
bool lacks_bias(const ir::Graph& graph, const ir::Node& node) {
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
  if (has_bias || weight_channels(graph, node) == 0 || !has_plain_factors(node)) return false;
  return !std::holds_alternative<ir::MatMul>(node.op) || graph.value(node.inputs[0]).shape.size() == 2;
}

}  // namespace

ir::Graph give_biases(ir::Graph graph) {
  for (ir::Node& node : graph.nodes)
    if (lacks_bias(graph, node)) set_bias(graph, node, bias_of(graph, node), node.name + "_bias");
  return graph;
}

}  // namespace halftone::passes
