// Rounding by its definition, in 128-bit integers: the two neighbours of num/2^k, and which of them a mode
// takes.
#pragma once

#include <cstdint>
#include <limits>

#include "halftone/numeric/rounding.h"

namespace halftone::numeric {

__extension__ typedef __int128 Wide;

inline constexpr Rounding kRoundings[] = {Rounding::half_even, Rounding::half_away, Rounding::half_up,
                                          Rounding::floor};

// round(num/2^k), 0 <= k <= 126.
inline Wide round_dyadic(Wide num, int k, Rounding rounding) {
  const Wide unit = Wide{1} << k;
  const Wide below = num / unit - (num % unit < 0 ? 1 : 0);
  const Wide from_below = num - below * unit;
  const Wide to_above = unit - from_below;
  if (rounding == Rounding::floor || from_below < to_above) return below;
  if (from_below > to_above) return below + 1;
  switch (rounding) {
    case Rounding::half_even:
      return below % 2 == 0 ? below : below + 1;
    case Rounding::half_away:
      return num < 0 ? below : below + 1;
    default:
      return below + 1;
  }
}

// round(x·2^−k) saturated to int64, for any k.
inline std::int64_t round_shift_exactly(std::int64_t x, int k, Rounding rounding) {
  constexpr Wide kMin = std::numeric_limits<std::int64_t>::min();
  constexpr Wide kMax = std::numeric_limits<std::int64_t>::max();
  Wide result = x;
  if (k > 126) {  // |x·2^−k| < ½
    result = x < 0 && rounding == Rounding::floor ? -1 : 0;
  } else if (k >= 0) {
    result = round_dyadic(x, k, rounding);
  }
  for (int i = k; i < 0 && result != 0 && result > kMin && result < kMax; ++i) {
    result *= 2;
    result = result < kMin ? kMin : result > kMax ? kMax : result;
  }
  return static_cast<std::int64_t>(result);
}

}  // namespace halftone::numeric
