#include "halftone/analysis/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "halftone/analysis/spread.h"
#include "halftone/ptq/measure_problem.h"
#include "halftone/quant/weight_clip.h"

namespace halftone::analysis {
namespace {

constexpr int kMostBits = 16;

std::string bits_text(int bits) { return fmt::format("{} bit{}", bits, bits == 1 ? "" : "s"); }

int next_bits(int bits) { return bits < 4 ? 4 : bits < 8 ? 8 : kMostBits; }

class LayerAdvice {
 public:
  LayerAdvice(const MatchedModels& models, const LayerErrors& errors, const LayerHarm& harm,
              std::size_t layer)
      : models_(models),
        errors_(errors),
        harm_(harm),
        index_(layer),
        layer_(models.layers[layer]),
        node_(models.real.nodes[layer_.node]),
        corrected_(bias_is_corrected()) {}

  RankedLayer run() {
    RankedLayer ranked{.layer = index_, .worst = worst()};
    const bool loses_channel = harm_.whole.worst && harm_.whole.worst->relative > kLostChannel;
    if (harm_.whole.output_error < kNegligible && !loses_channel) {
      ranked.advice = {with_bits(Remedy::nothing,
                                 fmt::format("its own output error is below {:.0f} %", 100.0 * kNegligible))};
      return ranked;
    }
    ranked.advice = {first_advice(ranked.worst)};
    const bool few = ranked.worst == Part::weights && layer_.bits <= kFewBits;
    if (few && (is_first() || is_last()) && ranked.advice[0].remedy != Remedy::more_weight_bits)
      ranked.advice.push_back(more_weight_bits());
    const double share = errors_.results[index_].mean_share();
    const bool correctable = !corrected_ && may_have_bias() && ranked.worst != Part::bias;
    if (correctable && share > kMeanErrorIsLarge)
      ranked.advice.push_back(
          with_bits(Remedy::correct_bias,
                    fmt::format("{:.0f} % of its error are the mean errors of its channels", 100.0 * share)));
    return ranked;
  }

 private:
  double error_of(Part part) const {
    switch (part) {
      case Part::weights:
        return harm_.weights.output_error;
      case Part::activation:
        return harm_.activation.output_error;
      case Part::bias:
        return corrected_ ? 0.0 : harm_.bias.output_error;
      case Part::requantization:
        return harm_.requantization.output_error;
    }
    return 0.0;
  }

  Part worst() const {
    Part worst = Part::weights;
    for (Part part : {Part::activation, Part::bias, Part::requantization})
      if (error_of(part) > error_of(worst)) worst = part;
    return corrected_ && error_of(worst) == 0.0 ? Part::bias : worst;
  }

  // Whether a number of the bias is not the float one rounded at s_x·s_w.
  bool bias_is_corrected() const {
    if (!layer_.bias) return false;
    const auto own = layer_.bias->data<float>();
    const auto real = models_.real.constant(node_.inputs[2])->data<float>();
    const auto& scales = layer_.params.affine;
    const double s_x = layer_.input ? models_.activations[*layer_.input].params.tensor().scale : 0.0;
    for (std::size_t c = 0; c < own.size(); ++c) {
      const double step = s_x * scales[c % scales.size()].scale;
      const double rounding = 0.5 * step + 1e-6 * std::fabs(real[c]);
      if (std::fabs(double{own[c]} - real[c]) > rounding) return true;
    }
    return false;
  }

  // All but a MatMul of stacked rows, which has no place for one.
  bool may_have_bias() const {
    return !std::holds_alternative<ir::MatMul>(node_.op) || models_.real.value(node_.inputs[0]).shape.size() == 2;
  }

  bool is_first() const { return index_ == 0; }
  bool is_last() const { return index_ + 1 == models_.layers.size(); }

  Advice with_bits(Remedy remedy, std::string reason) const {
    const int activations = models_.activations.empty() ? 0 : models_.activations[0].params.format.bits;
    const int own = layer_.input ? models_.activations[*layer_.input].params.format.bits : activations;
    return {
        .remedy = remedy, .reason = std::move(reason), .weight_bits = layer_.bits, .activation_bits = own};
  }

  Advice first_advice(Part worst) const {
    switch (worst) {
      case Part::weights:
        return for_weights();
      case Part::activation:
        return for_activation(*layer_.input, is_last() || takes_network_input());
      case Part::requantization:
        return for_activation(*layer_.output, is_last());
      case Part::bias:
        break;
    }
    if (corrected_)
      return with_bits(Remedy::nothing, "its bias was chosen for the quantized network, to make up for errors before it");
    return with_bits(Remedy::correct_bias, "its bias does most of its harm");
  }

  bool takes_network_input() const {
    return std::ranges::find(models_.real.inputs, node_.inputs[0]) != models_.real.inputs.end();
  }

  Advice for_weights() const {
    const TensorError& weights = errors_.weights[index_];
    const bool whole = layer_.params.granularity == numeric::Granularity::tensor;
    if (whole && layer_.weights.dim(static_cast<std::size_t>(ir::weight_axis(node_.op))) > 1)
      return with_bits(Remedy::channel_scales,
                       "its weights do most of its harm, with one scale for all channels");
    if (layer_.codebook) return more_weight_bits();
    if (layer_.bits > 1 && layer_.bits <= kFewBits && weights.saturated == 0 && clipping_helps())
      return with_bits(Remedy::clip_weights,
                       fmt::format("its weights do most of its harm, of {} and none of them clipped",
                                   bits_text(layer_.bits)));
    const bool nearest = rounded_to_nearest(*models_.real.constant(node_.inputs[1]), layer_);
    if (nearest && ptq::can_be_reconstructed(models_.real, node_))
      return with_bits(Remedy::round_by_results, "its weights do most of its harm, rounded to nearest");
    if (!nearest && layer_.bits > kFewBits)
      return with_bits(
          Remedy::nothing,
          "its weights were chosen for the quantized network, to make up for errors before them");
    return more_weight_bits();
  }

  // Whether some scale has a smaller range with less squared error.
  bool clipping_helps() const {
    const Tensor& real = *models_.real.constant(node_.inputs[1]);
    const auto& affine = layer_.params.affine;
    const bool symmetric = std::ranges::all_of(affine, [](const numeric::Affine& a) { return a.zero_point == 0; });
    const numeric::WeightSpec spec{.format = layer_.params.format,
                                   .scheme = symmetric ? numeric::Scheme::symmetric : numeric::Scheme::asymmetric,
                                   .granularity = layer_.params.granularity,
                                   .axis = layer_.params.axis,
                                   .group_size = layer_.params.group_size};
    const auto whole = numeric::weight_ranges(real, spec);
    const auto clipped = quant::clipped_weight_ranges(real, spec, 2);
    return !std::ranges::equal(whole, clipped, [](const numeric::Range& a, const numeric::Range& b) {
      return a.lo == b.lo && a.hi == b.hi;
    });
  }

  Advice more_weight_bits() const {
    Advice advice =
        with_bits(Remedy::more_weight_bits, "its weights do most of its harm, of " + bits_text(layer_.bits));
    advice.weight_bits = next_bits(layer_.bits);
    advice.first_last = is_first() || is_last();
    return advice;
  }

  Advice for_activation(std::size_t i, bool first_last) const {
    const TensorError& tensor = errors_.activations[i];
    const double ratio = spread_of(tensor.seen).ratio();
    const bool saturates = tensor.saturation() > kFewSaturate;
    if (saturates && tensor.clipped_share() > kMostlyClipped)
      return with_bits(
          Remedy::wider_activations,
          fmt::format("'{}' does most of its harm: {:.2g} % of it saturates, with {:.0f} % of its error",
                      tensor.name, 100.0 * tensor.saturation(), 100.0 * tensor.clipped_share()));
    if (!saturates && tensor.used < kCoversAll && ratio > kWideRange)
      return with_bits(
          Remedy::narrower_activations,
          fmt::format("'{}' does most of its harm: its range is {:.1f} times that of three sigma",
                      tensor.name, ratio));
    Advice advice = with_bits(Remedy::more_activation_bits,
                              fmt::format("'{}' does most of its harm, of {} bits in a range that fits",
                                          tensor.name, tensor.params.format.bits));
    advice.activation_bits = next_bits(tensor.params.format.bits);
    advice.first_last = first_last;
    return advice;
  }

  const MatchedModels& models_;
  const LayerErrors& errors_;
  const LayerHarm& harm_;
  std::size_t index_;
  const MatchedLayer& layer_;
  const ir::Node& node_;
  bool corrected_;
};

}  // namespace

std::string_view name_of(Part part) {
  switch (part) {
    case Part::weights:
      return "weights";
    case Part::activation:
      return "activation";
    case Part::bias:
      return "bias";
    case Part::requantization:
      return "requantization";
  }
  return "";
}

std::vector<RankedLayer> rank_layers(const MatchedModels& models, const LayerErrors& errors,
                                     const Sensitivity& harm) {
  std::vector<std::size_t> order(models.layers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](std::size_t layer) { return harm.layers[layer].whole.output_error; });
  std::vector<RankedLayer> ranked;
  for (std::size_t layer : order)
    ranked.push_back(LayerAdvice(models, errors, harm.layers[layer], layer).run());
  return ranked;
}

}  // namespace halftone::analysis
