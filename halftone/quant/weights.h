// Weights and bias of one layer as integers, with the overflow rule that ties the two. docs/arithmetic.md
// sections 3, 5.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/numeric/quant_params.h"
#include "halftone/quant/recipe.h"

namespace halftone::quant {

struct QuantizedWeights {
  Tensor q;  // integers, shape of the weights
  numeric::QuantParams params;
  std::vector<std::int64_t> bias;    // [M] at s_x·s_w, as it is added; empty when there is none, or it stays float
  std::vector<std::int32_t> codebook;   // the integers there are, ascending; empty: all of the format
  bool is_binary = false;               // or −1 and 1 alone
  int bias_bits = numeric::kWholeBias;  // fewer: of the bias without its low zeros
  std::vector<float> real_bias;      // [M] when it stays float and was corrected
  std::vector<std::int64_t> raised;  // channels whose scale grew so that the bias fits 2^30
  bool operator==(const QuantizedWeights&) const = default;
};

// `bias` is empty or has one number for each index of spec.axis. s_x is the scale of the layer's input, `ranges`
// those of the scales, empty: numeric::weight_ranges. At tensor granularity one bias that does not fit
// raises the scale of the whole tensor; one of fewer bits raises none. At group granularity the bias stays float.
QuantizedWeights quantize_weights(const Tensor& weights, std::span<const float> bias, float s_x,
                                  const numeric::WeightSpec& spec, std::span<const numeric::Range> ranges = {},
                                  int bias_bits = numeric::kWholeBias);

// The weights of a Conv, ConvTranspose, Gemm or MatMul with constant weights, rounded to nearest; the bias too when
// the input has a scale. Binary and ternary weights keep their q when a scale
// is raised. Throws InputError for a bias that weights of a codebook cannot hold.
QuantizedWeights quantize_layer(const ir::Graph& graph, const ir::Node& node, const WeightRecipe& recipe,
                                std::optional<float> s_x);

// The least number of low bits that can be left away for a bias of fewer bits: all zeros.
int bias_shift(std::int64_t bias, int bits);

// Rounds a new float bias to the scales that are there. A number that its scale cannot hold stays as it was.
void set_bias(QuantizedWeights& weights, std::span<const float> bias, float s_x);

// The float bias of such a node; empty when it has none.
std::span<const float> float_bias(const ir::Graph& graph, const ir::Node& node);

}  // namespace halftone::quant
