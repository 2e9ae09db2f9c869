// docs/arithmetic.md written down a second time, as slowly as it reads, in 128-bit integers and double.
#pragma once

#include <cfenv>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/lower/qdq.h"

namespace halftone::qgraph::formulas {

__extension__ typedef __int128 Wide;

struct M {
  std::int64_t m = 0;
  int n = 0;
};

inline std::int64_t nearest_even(double x) {
  const double below = std::floor(x);
  const double rest = x - below;
  if (rest != 0.5) return static_cast<std::int64_t>(rest < 0.5 ? below : below + 1.0);
  return static_cast<std::int64_t>(std::fmod(below, 2.0) == 0.0 ? below : below + 1.0);
}

// Section 6: M = M0·2^−n, M0 in [0.5, 1), m = half_even(M0·2^(B−1)), m = 2^(B−1) becomes m/2, n − 1.
inline M multiplier(double real, int B) {
  int n = 0;
  while (real >= 1.0) real /= 2.0, --n;
  while (real < 0.5) real *= 2.0, ++n;
  std::int64_t m = nearest_even(real * std::exp2(B - 1));
  if (m == std::int64_t{1} << (B - 1)) m /= 2, --n;
  return {m, n};
}

// round(x·2^−k), ties to even.
inline Wide round_shift(Wide x, int k) {
  if (k <= 0)
    return -k > 60 ? (x == 0 ? Wide{0} : x > 0 ? Wide{1} << 100 : -(Wide{1} << 100)) : x * (Wide{1} << -k);
  if (k > 110) return 0;  // |x| is below 2^100 in these tests
  const Wide unit = Wide{1} << k;
  Wide q = x / unit;
  Wide rest = x % unit;
  if (rest < 0) rest += unit, q -= 1;
  const Wide half = unit / 2;
  if (rest > half || (rest == half && q % 2 != 0)) q += 1;
  return q;
}

inline std::int32_t clamp(Wide x, std::int32_t lo, std::int32_t hi) {
  return x < lo ? lo : x > hi ? hi : static_cast<std::int32_t>(x);
}

inline std::int32_t quantize(double ratio, const Grid& y) {
  const auto format = format_of(y.dtype);
  const double lo = format.qmin() - y.zero;
  const double hi = format.qmax() - y.zero;
  const double rounded =
      std::isinf(ratio) || std::fabs(ratio) > 1e9 ? ratio : static_cast<double>(nearest_even(ratio));
  return static_cast<std::int32_t>(std::min(std::max(rounded, lo), hi)) + y.zero;
}

inline int log2_of(float power) { return std::ilogb(power); }

// Section 6 for one accumulator. `wide` as section 4 says: B of 32 becomes 16.
inline std::int32_t requantize(Wide acc, float s_x, float s_w, const Grid& y, std::int32_t lo,
                               std::int32_t hi, const numeric::ArithmeticSpec& spec, bool wide) {
  switch (spec.mode) {
    case numeric::Arithmetic::fixed: {
      const int B = wide && spec.mantissa_bits == 32 ? 16 : spec.mantissa_bits;
      const M M_ = multiplier(static_cast<double>(s_x) * s_w / y.scale, B);
      return clamp(round_shift(acc * M_.m, B - 1 + M_.n) + y.zero, lo, hi);
    }
    case numeric::Arithmetic::shift:
      return clamp(round_shift(acc, log2_of(y.scale) - log2_of(s_x) - log2_of(s_w)) + y.zero, lo, hi);
    case numeric::Arithmetic::onnx: {
      const float product = s_x * s_w;
      const float real = product / y.scale;
      const float scaled = static_cast<float>(static_cast<std::int64_t>(acc)) * real;
      if (std::fabs(scaled) > 1e9F) return scaled < 0 ? lo : hi;
      return clamp(Wide{nearest_even(scaled)} + y.zero, lo, hi);
    }
  }
  return 0;
}

}  // namespace halftone::qgraph::formulas
