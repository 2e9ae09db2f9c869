#include "halftone/ptq/correct_biases.h"

#include <algorithm>

#include "halftone/calibration/channel_statistics.h"
#include "halftone/ptq/measure_problem.h"

namespace halftone::ptq {
namespace {

bool is_target(const ir::Graph& graph, const quant::Parameters& parameters, std::size_t n) {
  const ir::Node& node = graph.nodes[n];
  return parameters.weights[n] && !std::holds_alternative<ir::ConvTranspose>(node.op) && !quant::float_bias(graph, node).empty() &&
         graph.value(node.inputs[0]).shape.size() >= 2;
}

// ε·E[x] by output channel.
std::vector<double> shifts(const ir::Graph& graph, const ir::Node& node, const quant::QuantizedWeights& quantized,
                           const std::vector<double>& means) {
  const Tensor real = numeric::dequantize(quantized.q, quantized.params);
  const auto mine = real.data<float>();
  const auto before = graph.constant(node.inputs[1])->data<float>();
  const std::int64_t groups = groups_of(node);
  const auto channels = static_cast<std::int64_t>(quant::float_bias(graph, node).size()) / groups;
  const std::int64_t inputs = real.size() / (channels * groups);
  const std::int64_t window = inputs * groups / static_cast<std::int64_t>(means.size());
  std::vector<double> result(static_cast<std::size_t>(channels * groups), 0.0);
  for (std::int64_t g = 0; g < groups; ++g)
    for (std::int64_t m = 0; m < channels; ++m)
      for (std::int64_t k = 0; k < inputs; ++k) {
        const std::size_t at = weight_place(graph, node, g, m, k);
        const auto input = static_cast<std::size_t>((g * inputs + k) / window);
        result[channel_place(graph, node, g, m)] += (double{mine[at]} - before[at]) * means[input];
      }
  return result;
}

}  // namespace

void measure_sources(const ir::Graph& graph, const quant::Parameters& parameters, const calibration::Runs& runs,
                     NormalTable& known) {
  std::vector<ir::ValueId> missing;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!is_target(graph, parameters, n)) continue;
    const ir::ValueId source = source_of_means(graph, graph.nodes[n].inputs[0]);
    if (!known.contains(graph.value(source).name) && std::ranges::find(missing, source) == missing.end())
      missing.push_back(source);
  }
  const auto seen = calibration::measure_channels(graph, missing, runs);
  for (std::size_t i = 0; i < missing.size(); ++i)
    for (std::size_t c = 0; c < seen[i].sum.size(); ++c)
      known[graph.value(missing[i]).name].push_back({seen[i].mean(c), seen[i].deviation(c)});
}

int correct_biases(const ir::Graph& graph, quant::Parameters& parameters, const NormalTable& known) {
  int corrected = 0;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!is_target(graph, parameters, n)) continue;
    const ir::Node& node = graph.nodes[n];
    const auto means = channel_means(graph, node.inputs[0], known);
    const auto width = static_cast<std::size_t>(graph.value(node.inputs[0]).shape[1]);
    if (!means || means->size() != width) continue;
    quant::QuantizedWeights& weights = *parameters.weights[n];
    const std::vector<double> by = shifts(graph, node, weights, *means);
    const std::span<const float> before = quant::float_bias(graph, node);
    std::vector<float> bias(before.begin(), before.end());
    for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = static_cast<float>(bias[c] - by[c]);
    const auto& x = parameters.activations[static_cast<std::size_t>(node.inputs[0])];
    if (x && !weights.bias.empty())
      quant::set_bias(weights, bias, x->affine.scale);
    else
      weights.real_bias = bias;
    ++corrected;
  }
  return corrected;
}

}  // namespace halftone::ptq
