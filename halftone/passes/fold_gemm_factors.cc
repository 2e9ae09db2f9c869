#include "halftone/passes/pass.h"
#include "halftone/passes/rewrite.h"

namespace halftone::passes {

namespace {

void spread_bias(ir::Graph& graph, ir::Node& node) {
  const Tensor* bias = node.inputs.size() > 2 ? graph.constant(node.inputs[2]) : nullptr;
  const std::int64_t channels = weight_channels(graph, node);
  if (bias == nullptr || bias->dtype() != DType::float32 || bias->size() != 1 || channels <= 1) return;
  const std::vector<double> all(static_cast<std::size_t>(channels), bias->data<float>()[0]);
  set_bias(graph, node, all, graph.value(node.inputs[2]).name + "_spread");
}

}  // namespace

ir::Graph fold_gemm_factors(ir::Graph graph) {
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    ir::Node& node = graph.nodes[n];
    auto* gemm = std::get_if<ir::Gemm>(&node.op);
    if (gemm == nullptr) continue;
    spread_bias(graph, node);
    if (has_plain_factors(node)) continue;
    const std::int64_t channels = weight_channels(graph, node);
    std::vector<double> bias = bias_of(graph, node);
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
    if (channels == 0 || bias.empty()) continue;
    for (double& b : bias) b *= gemm->beta;
    const std::vector<double> factor(static_cast<std::size_t>(channels), gemm->alpha);
    gemm->alpha = gemm->beta = 1.0F;
    scale_weights(graph, node, factor);
    if (has_bias) set_bias(graph, node, bias, graph.value(node.inputs[2]).name + "_folded");
  }
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::passes
