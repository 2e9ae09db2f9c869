// Rounding: every place where a real number becomes an integer, or an integer loses low bits.
// docs/arithmetic.md section 2.
#pragma once

#include <cstdint>
#include <string_view>

namespace halftone::numeric {

enum class Rounding {
  half_even,  // to nearest, ties to the even neighbour: no bias
  half_away,  // sign(x)·⌊|x| + ½⌋
  half_up,    // ⌊x + ½⌋
  floor,      // ⌊x⌋
};

std::string_view name_of(Rounding rounding);
// Throws UsageError for an unknown name.
Rounding rounding_from(std::string_view name);

// x rounded to an integer, exactly (no x + 0.5 that rounds by itself). ±∞ and NaN pass through.
double round_real(double x, Rounding rounding);

// ⌊x + u⌋ with u uniform in [0, 1): right in expectation. For training only.
double round_stochastic(double x, double u);

// round(x·2^−k) as if in unbounded integers, for any sign of k, then saturated to int64.
std::int64_t round_shift(std::int64_t x, int k, Rounding rounding);

}  // namespace halftone::numeric
