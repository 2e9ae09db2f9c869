#include "halftone/ptq/reconstruct.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/quant/assignment.h"
#include "halftone/ptq/measure_problem.h"
#include "halftone/ptq/round_layer.h"

namespace halftone::ptq {
namespace {

constexpr std::int64_t kMaxSamples = 16384;

// A float bias as the layer's integers have it.
std::vector<float> real_bias(const quant::QuantizedWeights& weights, std::span<const float> bias, float s_x) {
  std::vector<float> real(bias.begin(), bias.end());
  for (std::size_t c = 0; c < weights.bias.size(); ++c) {
    const float s_w = weights.params.affine[weights.params.affine.size() == 1 ? 0 : c].scale;
    real[c] = static_cast<float>(static_cast<double>(s_x) * s_w * static_cast<double>(weights.bias[c]));
  }
  return real;
}

// E[y − ŷ] by channel of [N, C, …] (or the last dimension's of products).
std::vector<double> mean_difference(const Batches& y, const Batches& y_hat, std::size_t channels, bool conv) {
  std::vector<double> sums(channels, 0.0);
  double count = 0.0;
  for (std::size_t b = 0; b < y.size(); ++b) {
    const auto real = y[b].data<float>();
    const auto mine = y_hat[b].data<float>();
    std::size_t inner = 1;
    for (std::size_t d = 2; conv && d < y[b].rank(); ++d) inner *= static_cast<std::size_t>(y[b].dim(d));
    for (std::size_t i = 0; i < real.size(); ++i) sums[i / inner % channels] += double{real[i]} - mine[i];
    count += static_cast<double>(real.size()) / static_cast<double>(channels);
  }
  for (double& sum : sums) sum /= std::max(count, 1.0);
  return sums;
}

class Reconstruction {
 public:
  Reconstruction(const ir::Graph& graph, quant::Parameters& parameters, const quant::Recipe& recipe, Walk& walk)
      : graph_(graph),
        parameters_(parameters),
        recipe_(recipe),
        assigned_(quant::assign(graph, recipe)),
        walk_(walk) {}

  Batches linear(std::size_t n) { return linear(n, assigned_.weights[n], *parameters_.weights[n]); }

  // The layer's output in the quantized network, once weights and bias are chosen.
  Batches linear(std::size_t n, const quant::WeightRecipe& recipe, quant::QuantizedWeights& weights) {
    const ir::Node& node = graph_.nodes[n];
    const std::span<const float> bias = quant::float_bias(graph_, node);
    const bool corrects = recipe_.correct_bias == quant::BiasCorrection::measured && !bias.empty();
    if (recipe.rounding != quant::WeightRounding::nearest && can_be_reconstructed(graph_, node))
      round_layer(walk_, n, recipe, recipe_.adaround_steps, corrects, input_scale(n), weights);
    if (!weights.bias.empty()) quant::set_bias(weights, bias, input_scale(n).value());
    Batches y = output(n, bias, weights);
    if (!corrects) return y;
    const bool conv = std::holds_alternative<ir::Conv>(node.op) || std::holds_alternative<ir::ConvTranspose>(node.op);
    const auto by = mean_difference(walk_.real(node.outputs[0]), y, bias.size(), conv);
    std::vector<float> corrected(bias.begin(), bias.end());
    for (std::size_t c = 0; c < corrected.size(); ++c) {
      if (!std::isfinite(by[c])) throw InputError(ir::describe(graph_, node), "gives a value that is not finite, on the samples given");
      corrected[c] = static_cast<float>(corrected[c] + by[c]);
    }
    if (weights.bias.empty())
      weights.real_bias = corrected;
    else
      quant::set_bias(weights, corrected, input_scale(n).value());
    return output(n, corrected, weights);
  }

 private:
  std::optional<float> input_scale(std::size_t n) const {
    const auto& x = parameters_.activations[static_cast<std::size_t>(graph_.nodes[n].inputs[0])];
    return x ? std::optional(x->affine.scale) : std::nullopt;
  }

  Batches output(std::size_t n, std::span<const float> bias, const quant::QuantizedWeights& weights) const {
    const Tensor real = numeric::dequantize(weights.q, weights.params);
    if (bias.empty()) return walk_.linear_output(n, real, nullptr);
    const auto values = real_bias(weights, bias, input_scale(n).value_or(1.0F));
    const Tensor b = Tensor::from<float>(graph_.constant(graph_.nodes[n].inputs[2])->shape(), values);
    return walk_.linear_output(n, real, &b);
  }

  const ir::Graph& graph_;
  quant::Parameters& parameters_;
  const quant::Recipe& recipe_;
  quant::Assignment assigned_;
  Walk& walk_;
};

}  // namespace

bool reconstructs(const quant::Recipe& recipe) {
  const auto rounds = [](const quant::WeightRecipe& weights) { return weights.rounding != quant::WeightRounding::nearest; };
  return recipe.correct_bias == quant::BiasCorrection::measured || rounds(recipe.weights) ||
         std::ranges::any_of(recipe.layers, [&](const quant::LayerRule& rule) { return rounds(rule.weights); });
}

void reconstruct(const ir::Graph& graph, quant::Parameters& parameters, const quant::Recipe& recipe, const calibration::Runs& runs,
                 std::span<Alternative> alternatives) {
  Walk walk(graph, runs, kMaxSamples);
  Reconstruction layers(graph, parameters, recipe, walk);
  walk.start(parameters);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    walk.run_real(n);
    for (Alternative& alternative : alternatives)
      if (alternative.node == n) layers.linear(n, alternative.recipe, alternative.weights);
    walk.run_quantized(n, parameters, parameters.weights[n] ? layers.linear(n) : Batches{});
    walk.finish(n);
    if (runs.options.progress) runs.options.progress(static_cast<double>(n + 1) / static_cast<double>(graph.nodes.size()));
  }
}

}  // namespace halftone::ptq
