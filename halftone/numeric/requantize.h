// From an accumulator to an output integer: the three modes of docs/arithmetic.md section 6.
#pragma once

#include <cstdint>
#include <string_view>

#include "halftone/numeric/multiplier.h"
#include "halftone/numeric/rounding.h"

namespace halftone::numeric {

enum class Arithmetic {
  fixed,  // integer multiplier and one rounding shift
  shift,  // every scale a power of two: one rounding shift
  onnx,   // one float32 product: equal to ONNX Runtime's QLinearConv and QLinearMatMul
};

std::string_view name_of(Arithmetic arithmetic);
// Throws UsageError for an unknown name.
Arithmetic arithmetic_from(std::string_view name);

// Where an output integer may lie: z_y, and the format's bounds, tightened by ReLU or Clip.
struct OutputBounds {
  std::int32_t zero_point = 0;
  std::int32_t lo = -128;
  std::int32_t hi = 127;
  bool operator==(const OutputBounds&) const = default;
};

// clamp(x + z_y, lo, hi) without overflow for any int64 x.
inline std::int64_t add_zero_point_and_saturate(std::int64_t x, const OutputBounds& y) {
  const std::int64_t lo = std::int64_t{y.lo} - y.zero_point;
  const std::int64_t hi = std::int64_t{y.hi} - y.zero_point;
  return (x < lo ? lo : x > hi ? hi : x) + y.zero_point;
}

// q = clamp(round_shift(acc·m, B−1+n) + z_y). The product must fit int64: |acc| <= 2^31 with B = 32, or
// |acc| < 2^47 with B <= 16 (docs/arithmetic.md section 4 sees to it).
inline std::int32_t requantize_fixed(std::int64_t acc, std::int64_t m, int shift, const OutputBounds& y,
                                     Rounding rounding) {
  return static_cast<std::int32_t>(add_zero_point_and_saturate(round_shift(acc * m, shift, rounding), y));
}

// q = clamp(round_shift(acc, n) + z_y).
inline std::int32_t requantize_shift(std::int64_t acc, int n, const OutputBounds& y, Rounding rounding) {
  return static_cast<std::int32_t>(add_zero_point_and_saturate(round_shift(acc, n, rounding), y));
}

// M = (s_x·s_w)/s_y in float32, in this order.
inline float onnx_multiplier(float s_x, float s_w, float s_y) { return s_x * s_w / s_y; }

// q = clamp(half_even(float(acc)·M) + z_y) in float32.
std::int32_t requantize_onnx(std::int32_t acc, float M, const OutputBounds& y);

}  // namespace halftone::numeric
