#include "halftone/passes/pass.h"
#include "halftone/passes/rewrite.h"

namespace halftone::passes {
namespace {

// Channels of a layer with constant weights that may have a bias and has none: y [N, M] or [N, M, …]; 0 for other nodes.
std::int64_t channels_without_bias(const ir::Graph& graph, const ir::Node& node) {
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
  if (has_bias || !ir::is_linear(node.op) || !has_plain_factors(node)) return 0;
  if (const auto* transpose = std::get_if<ir::ConvTranspose>(&node.op)) {
    const Tensor* w = graph.constant(node.inputs[1]);
    return w == nullptr || w->dtype() != DType::float32 ? 0 : w->dim(1) * transpose->groups;
  }
  const bool stacked = std::holds_alternative<ir::MatMul>(node.op) && graph.value(node.inputs[0]).shape.size() != 2;
  return stacked ? 0 : weight_channels(graph, node);
}

}  // namespace

ir::Graph give_biases(ir::Graph graph) {
  for (ir::Node& node : graph.nodes)
    if (const std::int64_t channels = channels_without_bias(graph, node); channels > 0)
      set_bias(graph, node, std::vector<double>(static_cast<std::size_t>(channels), 0.0), node.name + "_bias");
  return graph;
}

}  // namespace halftone::passes
