// Weights and bias of one layer as integers, with the overflow rule that ties the two. docs/arithmetic.md
// sections 3, 5.
#pragma once

#include <span>
#include <vector>

#include "halftone/numeric/quant_params.h"

namespace halftone::quant {

struct QuantizedWeights {
  Tensor q;  // integers, shape of the weights
  numeric::QuantParams params;
  std::vector<std::int64_t> bias;    // [M], or empty
  std::vector<std::int64_t> raised;  // channels whose scale grew so that the bias fits 2^30
};

// `bias` is empty or has one number for each index of spec.axis. s_x is the scale of the layer's input, `ranges`
// those of the scales, empty: numeric::weight_ranges. At tensor granularity one bias that does not fit
// raises the scale of the whole tensor.
QuantizedWeights quantize_weights(const Tensor& weights, std::span<const float> bias, float s_x,
                                  const numeric::WeightSpec& spec, std::span<const numeric::Range> ranges = {});

}  // namespace halftone::quant
