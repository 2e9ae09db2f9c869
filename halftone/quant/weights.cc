#include "halftone/quant/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "halftone/base/error.h"
#include "halftone/numeric/bias.h"
#include "halftone/numeric/code_weights.h"
#include "halftone/numeric/codebook.h"
#include "halftone/quant/weight_clip.h"

namespace halftone::quant {
namespace {

// docs/arithmetic.md section 3 once the scale is given: z from the stored s and the same range.
numeric::Affine with_scale(float scale, double lo, const numeric::Affine& old,
                           const numeric::WeightSpec& spec) {
  if (spec.scheme == numeric::Scheme::symmetric || lo == 0.0) return {scale, old.zero_point};
  const double zero = numeric::round_real(spec.format.qmin() - lo / scale, numeric::Rounding::half_even);
  return {scale, static_cast<std::int32_t>(std::clamp<double>(zero, spec.format.qmin(), spec.format.qmax()))};
}

// The groups of a ConvTranspose share its channel dimension, and so one scale; it has no scales by group of inputs.
numeric::Granularity granularity_of(const ir::Op& op, numeric::Granularity wanted) {
  const auto* transpose = std::get_if<ir::ConvTranspose>(&op);
  if (transpose == nullptr) return wanted;
  if (transpose->groups > 1) return numeric::Granularity::tensor;
  return wanted == numeric::Granularity::group ? numeric::Granularity::channel : wanted;
}

// b in steps of s_x·s_w, with `bits` bits that count.
std::int64_t bias_steps(float b, float s_x, float s_w, int bits) {
  if (bits == numeric::kWholeBias) return numeric::quantize_bias(b, s_x, s_w);
  const numeric::NarrowBias narrow = numeric::quantize_bias_narrow(b, s_x, s_w, bits);
  return narrow.q * (std::int64_t{1} << std::min(narrow.shift, 47));
}

bool holds(std::int64_t steps, int bits) { return bits != numeric::kWholeBias || std::abs(steps) <= numeric::kMaxBias; }

// Lets the scales grow at which a bias is beyond 2^30 steps; returns the channels of these biases.
std::vector<std::int64_t> raise_for_bias(std::vector<numeric::Affine>& affine, std::span<const float> bias, float s_x,
                                         bool power_of_two) {
  std::vector<std::int64_t> raised;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    float& scale = affine[affine.size() == 1 ? 0 : c].scale;
    const float fits = numeric::weight_scale_for_bias(bias[c], s_x, scale, power_of_two);
    if (fits == scale) continue;
    scale = fits;
    raised.push_back(static_cast<std::int64_t>(c));
  }
  return raised;
}

// Weights that are not on a uniform grid.
QuantizedWeights coded(const Tensor& weights, const WeightRecipe& recipe, const numeric::WeightSpec& spec) {
  if (is_codebook(recipe.code)) {
    numeric::CodebookWeights made = numeric::codebook_weights(weights, codebook_of(recipe.code), recipe.format.bits,
                                                              spec.granularity, spec.axis, spec.power_of_two);
    return {.q = std::move(made.integers), .params = std::move(made.params), .codebook = std::move(made.entries)};
  }
  const auto code = recipe.code == WeightCode::binary ? numeric::Code::binary : numeric::Code::ternary;
  const numeric::CodedWeights made =
      numeric::code_weights(weights, code, spec.granularity, spec.axis, spec.power_of_two);
  return {.q = numeric::from_int32(weights.shape(), numeric::to_int32(made.integers),
                                   numeric::storage_dtype(made.params.format)),
          .params = made.params,
          .is_binary = code == numeric::Code::binary};
}

QuantizedWeights code_layer(const Tensor& weights, std::span<const float> bias, const WeightRecipe& recipe,
                            const numeric::WeightSpec& spec, std::optional<float> s_x) {
  QuantizedWeights result = coded(weights, recipe, spec);
  result.bias_bits = recipe.bias_bits;
  if (!s_x) return result;
  if (!is_codebook(recipe.code) && recipe.bias_bits == numeric::kWholeBias)
    result.raised = raise_for_bias(result.params.affine, bias, *s_x, spec.power_of_two);
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const float s_w = result.params.affine[result.params.affine.size() == 1 ? 0 : c].scale;
    result.bias.push_back(bias_steps(bias[c], *s_x, s_w, recipe.bias_bits));
    if (!holds(result.bias.back(), recipe.bias_bits))
      throw InputError("bias", fmt::format("{} of channel {} is beyond 2^30 steps of {}, expected weights without a codebook",
                                           bias[c], c, *s_x * s_w));
  }
  return result;
}

std::vector<numeric::Range> ranges_of(const Tensor& weights, const numeric::WeightSpec& spec,
                                      const WeightRecipe& recipe) {
  switch (recipe.range) {
    case WeightRange::min_max:
      break;
    case WeightRange::mean_squared_error:
      return clipped_weight_ranges(weights, spec, 2);
    case WeightRange::mean_absolute_error:
      return clipped_weight_ranges(weights, spec, 1);
    case WeightRange::fixed: {
      std::vector<numeric::Range> ranges = numeric::weight_ranges(weights, spec);
      const double scale = std::exp2(-recipe.fraction_length);
      std::ranges::fill(ranges, numeric::Range{scale * spec.format.qmin(), scale * spec.format.qmax()});
      return ranges;
    }
  }
  return numeric::weight_ranges(weights, spec);
}

}  // namespace

QuantizedWeights quantize_weights(const Tensor& weights, std::span<const float> bias, float s_x,
                                  const numeric::WeightSpec& spec, std::span<const numeric::Range> ranges,
                                  int bias_bits) {
  std::vector<numeric::Range> whole;
  if (ranges.empty()) ranges = whole = numeric::weight_ranges(weights, spec);
  QuantizedWeights result{.bias_bits = bias_bits};
  result.params = numeric::params_from_ranges(weights, spec, ranges);
  std::vector<numeric::Affine>& affine = result.params.affine;
  if (spec.granularity != numeric::Granularity::group) {
    if (bias_bits == numeric::kWholeBias) result.raised = raise_for_bias(affine, bias, s_x, spec.power_of_two);
    for (std::int64_t c : result.raised) {
      const std::size_t i = affine.size() == 1 ? 0 : static_cast<std::size_t>(c);
      affine[i] = with_scale(affine[i].scale, ranges[i].lo, affine[i], spec);
    }
    for (std::size_t c = 0; c < bias.size(); ++c)
      result.bias.push_back(bias_steps(bias[c], s_x, affine[affine.size() == 1 ? 0 : c].scale, bias_bits));
  }
  result.q = numeric::quantize(weights, result.params);
  return result;
}

QuantizedWeights quantize_layer(const ir::Graph& graph, const ir::Node& node, const WeightRecipe& recipe,
                                std::optional<float> s_x) {
  const Tensor& weights = *graph.constant(node.inputs[1]);
  const numeric::WeightSpec spec{.format = recipe.format,
                                 .scheme = recipe.scheme,
                                 .power_of_two = recipe.power_of_two,
                                 .granularity = granularity_of(node.op, recipe.granularity),
                                 .axis = ir::weight_axis(node.op),
                                 .group_size = recipe.group_size * product(weights.shape(), 2, weights.rank())};
  const std::span<const float> bias = float_bias(graph, node);
  if (recipe.code != WeightCode::affine) return code_layer(weights, bias, recipe, spec, s_x);
  const auto ranges = ranges_of(weights, spec, recipe);
  return quantize_weights(weights, s_x ? bias : std::span<const float>{}, s_x.value_or(1.0F), spec, ranges,
                          recipe.bias_bits);
}

void set_bias(QuantizedWeights& weights, std::span<const float> bias, float s_x) {
  for (std::size_t c = 0; c < weights.bias.size(); ++c) {
    const float s_w = weights.params.affine[weights.params.affine.size() == 1 ? 0 : c].scale;
    const std::int64_t q = bias_steps(bias[c], s_x, s_w, weights.bias_bits);
    if (holds(q, weights.bias_bits)) weights.bias[c] = q;
  }
}

int bias_shift(std::int64_t bias, int bits) {
  if (bits == numeric::kWholeBias) return 0;
  const std::int64_t limit = std::int64_t{1} << (bits - 1);
  int shift = 0;
  for (; bias >= limit || bias < -limit; bias /= 2) ++shift;
  return shift;
}

std::span<const float> float_bias(const ir::Graph& graph, const ir::Node& node) {
  if (node.inputs.size() < 3 || node.inputs[2] == ir::kNoValue) return {};
  return graph.constant(node.inputs[2])->data<float>();
}

}  // namespace halftone::quant
