// Weights that are not on a uniform grid: binary and ternary (codebook.h for tables). docs/arithmetic.md section 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/numeric/quant_params.h"

namespace halftone::numeric {

// r = α·q with q ∈ {−1, +1}; α = mean|w| of the tensor or channel; q = +1 where w >= 0.
// (Rastegari et al., XNOR-Net, ECCV 2016, section 3.1.)
// r = α·q with q ∈ {−1, 0, +1}; Δ = 0.7·mean|w|, q = sign(w) where |w| > Δ, α = mean of those |w|.
// (Li et al., Ternary Weight Networks, 2016, section 2.)
enum class Code { binary, ternary };

struct CodedWeights {
  QuantParams params;  // 2-bit signed narrow integers; scale α, zero point 0
  Tensor integers;     // int8, shape of the weights
};

// Means are sums of float32 values in double, in row-major order, then one division; α is rounded
// to float32, with `power_of_two` up to a power of two.
// A channel that is dead, or nearly, gets 2^−20 of the largest α, or of 1 where all are 0. Throws InputError for NaN, infinity or Granularity::group.
CodedWeights code_weights(const Tensor& weights, Code code, Granularity granularity, int axis,
                          bool power_of_two = false);

}  // namespace halftone::numeric
