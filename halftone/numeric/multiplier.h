// The fixed-point multiplier that brings an accumulator to the output's scale. docs/arithmetic.md section 6.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace halftone::numeric {

// M = m·2^−(B−1+n), with M = M0·2^−n, M0 ∈ [0.5, 1), m = half_even(M0·2^(B−1)), and m = 2^(B−1) made m/2, n
// − 1. (Jacob et al., CVPR 2018, section 2.2, with a stated mantissa width and tie rule.)
struct Multiplier {
  std::int64_t m =
      0;  // [2^(B−2), 2^(B−1)), so that it fits B signed bits; 0 only in a group whose M vanishes
  int n = 0;
  int bits = 32;  // B: 8, 16 or 32

  // The right shift that goes with m: B − 1 + n.
  int shift() const { return bits - 1 + n; }
  double real() const;
  bool operator==(const Multiplier&) const = default;
};

// M = (s_x·s_w)/s_y in double from float32 scales, in this order.
inline double real_multiplier(float s_x, float s_w, float s_y) {
  return static_cast<double>(s_x) * static_cast<double>(s_w) / static_cast<double>(s_y);
}

// Throws UsageError when B is not 8, 16 or 32, InputError when M is not a finite positive number.
Multiplier multiplier_from(double M, int bits);

// Multipliers of one sum over terms of different scales: n is that of the largest M (after its own m =
// 2^(B−1) case), and m_i = half_even(M_i·2^(B−1+n)) for every term.
std::vector<Multiplier> shared_multipliers(std::span<const double> M, int bits);

}  // namespace halftone::numeric
