// Biases as integers at the accumulator's scale. docs/arithmetic.md section 5.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace halftone::numeric {

inline constexpr std::int64_t kMaxBias = std::int64_t{1} << 30;
inline constexpr int kWholeBias = 32;  // bits of a bias that is at s_x·s_w itself

// q_b = half_even(b / (s_x·s_w)), in double, unclamped.
std::int64_t quantize_bias(float b, float s_x, float s_w);

// The weight scale for which |q_b| <= 2^30: `s_w` itself when it does already, else the smallest float32
// (with `power_of_two`, the smallest power of two) that does.
float weight_scale_for_bias(float b, float s_x, float s_w, bool power_of_two);

// A bias of fewer bits: b ≈ q·2^shift·s_x·s_w, with the least shift >= 0 for which q fits `bits` signed bits.
struct NarrowBias {
  std::int64_t q = 0;
  int shift = 0;
};
NarrowBias quantize_bias_narrow(float b, float s_x, float s_w, int bits);

}  // namespace halftone::numeric
