// Scale and zero point of one block of values, and the two maps between reals and integers.
// docs/arithmetic.md sections 1 and 3.
#pragma once

#include <algorithm>
#include <cstdint>

#include "halftone/numeric/format.h"
#include "halftone/numeric/rounding.h"

namespace halftone::numeric {

// r = scale·(q − zero_point). `scale` is a normal float32 > 0; zero_point lies in [qmin, qmax].
struct Affine {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
  bool operator==(const Affine&) const = default;
};

// The integers that one scale and zero point give a meaning: those of an activation.
struct Grid {
  IntegerFormat format;
  Affine affine;
  bool operator==(const Grid&) const = default;
};

// A closed interval of reals, lo <= hi.
struct Range {
  double lo = 0.0;
  double hi = 0.0;
  bool operator==(const Range&) const = default;
};
// The smallest range that holds both.
inline Range joined(const Range& a, const Range& b) { return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)}; }

enum class Scheme {
  asymmetric,  // s = (hi − lo)/(qmax − qmin), z = clamp(half_even(qmin − lo/s))
  symmetric,   // z = 0, s = α/qmax (narrow, unsigned) or α/2^(b−1) (full range), α = max(|lo|, |hi|)
};

// Scale and zero point that cover `range`, widened to contain 0. A range of zero width gives s = 1, z = 0.
// With `power_of_two` the scale is rounded up to a power of two (before z is derived from it).
// Scales leave the normal float32 numbers never: they are clamped to them.
// Throws InputError for a range with NaN, infinity, or lo > hi, or a symmetric unsigned one with lo < 0.
Affine affine_from_range(Range range, const IntegerFormat& format, Scheme scheme, bool power_of_two = false);

// Fixed point Q(wl, fl): r = q·2^−fl in wl-bit two's complement, from −2^(wl−1−fl) to 2^(wl−1−fl) − 2^−fl.
// fl may be negative or exceed wl; −126 <= fl <= 126. Throws UsageError otherwise.
Affine fixed_point(int fraction_length);

// q = clamp(round(r / s) + z, qmin, qmax): one float32 division. ±∞ saturate; NaN throws InputError.
std::int32_t quantize(float r, const Affine& affine, const IntegerFormat& format,
                      Rounding rounding = Rounding::half_even);

inline std::int32_t quantize(float r, const Grid& grid, Rounding rounding = Rounding::half_even) {
  return quantize(r, grid.affine, grid.format, rounding);
}

// r̂ = s·(q − z), in float32.
inline float dequantize(std::int32_t q, const Affine& affine) {
  return affine.scale * static_cast<float>(q - affine.zero_point);
}

// The smallest power of two >= x, within the normal float32 numbers.
float ceil_power_of_two(double x);
bool is_power_of_two(float x);
// log2 of a power of two.
int exponent_of(float power_of_two);

}  // namespace halftone::numeric
