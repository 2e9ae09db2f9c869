#include <cmath>

#include "halftone/passes/pass.h"
#include "halftone/passes/rewrite.h"

namespace halftone::passes {
namespace {

bool join_batch_norm(ir::Graph& graph, ir::Node& producer, const ir::Node& node) {
  const auto* norm = std::get_if<ir::BatchNormalization>(&node.op);
  const auto channels = static_cast<std::size_t>(weight_channels(graph, producer));
  if (norm == nullptr || norm->training || channels == 0 || !has_plain_factors(producer)) return false;
  if (std::holds_alternative<ir::MatMul>(producer.op) && graph.value(producer.inputs[0]).shape.size() != 2)
    return false;
  std::vector<double> bias = bias_of(graph, producer);
  if (bias.empty()) return false;
  for (std::size_t i = 1; i < 5; ++i) {
    const Tensor* statistics = graph.constant(node.inputs[i]);
    if (statistics == nullptr || statistics->size() != static_cast<std::int64_t>(channels)) return false;
  }
  const auto at = [&](std::size_t i, std::size_t c) {
    return double{graph.constant(node.inputs[i])->data<float>()[c]};
  };
  std::vector<double> factor(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    factor[c] = at(1, c) / std::sqrt(at(4, c) + norm->epsilon);
    bias[c] = (bias[c] - at(3, c)) * factor[c] + at(2, c);
  }
  const std::string name = graph.value(node.inputs[2]).name + "_folded";
  scale_weights(graph, producer, factor);
  set_bias(graph, producer, bias, name);
  return true;
}

}  // namespace

ir::Graph fold_batch_norm(ir::Graph graph) { return join_pairs(std::move(graph), join_batch_norm); }

}  // namespace halftone::passes
