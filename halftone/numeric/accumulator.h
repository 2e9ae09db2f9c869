// How large an accumulator can get. docs/arithmetic.md section 4.
#pragma once

#include <cstdint>
#include <span>

#include "halftone/numeric/format.h"

namespace halftone::numeric {

inline constexpr std::int64_t kMaxAccumulator = std::int64_t{1} << 47;

// A bound on |every partial sum| of one output, in any order, whether the input's zero point is subtracted
// first or folded into the bias, for any inputs the format allows:
//   max( Σ max|q_x − z_x|·|w| + |q_b| ,  Σ max|q_x|·|w| + |q_b − z_x·Σ w| ),   w = q_w − z_w.
// `weights` are the w of one output channel, fewer than 2^28 of them.
std::int64_t accumulator_bound(std::span<const std::int32_t> weights, std::int64_t bias,
                               const IntegerFormat& x, std::int32_t x_zero_point);

// Signed bits that hold every integer in [−bound, bound].
int signed_bits_for(std::int64_t bound);

}  // namespace halftone::numeric
