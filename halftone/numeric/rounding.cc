#include "halftone/numeric/rounding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"

namespace halftone::numeric {
namespace {

// Shifting right by more than 63 leaves at most ½ in magnitude; 66 gives every mode the same answer as more.
constexpr int kMaxShift = 66;
constexpr int kMaxShiftOfInt64 = 62;
__extension__ typedef __int128 Wide;

// round(x·2^−k), k > 0, in a type in which 2^k is.
template <typename Int>
std::int64_t round_right_shift(Int x, int k, Rounding rounding) {
  const Int below = x >> k;  // ⌊x·2^−k⌋
  const Int rest = x - (below << k);
  const Int half = Int{1} << (k - 1);
  bool up = false;
  switch (rounding) {
    case Rounding::half_even:
      up = rest > half || (rest == half && (below & 1) != 0);
      break;
    case Rounding::half_away:
      up = rest > half || (rest == half && x >= 0);
      break;
    case Rounding::half_up:
      up = rest >= half;
      break;
    case Rounding::floor:
      break;
  }
  return static_cast<std::int64_t>(below + (up ? 1 : 0));
}

}  // namespace

std::string_view name_of(Rounding rounding) {
  switch (rounding) {
    case Rounding::half_even:
      return "half_even";
    case Rounding::half_away:
      return "half_away";
    case Rounding::half_up:
      return "half_up";
    case Rounding::floor:
      return "floor";
  }
  return "?";
}

Rounding rounding_from(std::string_view name) {
  for (Rounding r : {Rounding::half_even, Rounding::half_away, Rounding::half_up, Rounding::floor})
    if (name == name_of(r)) return r;
  throw UsageError(
      "rounding",
      fmt::format("unknown mode, got '{}', expected half_even, half_away, half_up or floor", name));
}

double round_real(double x, Rounding rounding) {
  if (!std::isfinite(x)) return x;
  const double whole = std::trunc(x);
  const double rest = x - whole;  // exact, with the sign of x
  const double away = std::copysign(1.0, x);
  switch (rounding) {
    case Rounding::half_even: {
      const bool up = std::fabs(rest) > 0.5 || (std::fabs(rest) == 0.5 && std::fmod(whole, 2.0) != 0.0);
      return up ? whole + away : whole;
    }
    case Rounding::half_away:
      return std::fabs(rest) >= 0.5 ? whole + away : whole;
    case Rounding::half_up:
      if (rest >= 0.5) return whole + 1.0;
      return rest < -0.5 ? whole - 1.0 : whole;
    case Rounding::floor:
      return rest < 0.0 ? whole - 1.0 : whole;
  }
  return whole;
}

double round_stochastic(double x, double u) {
  const double below = std::floor(x);
  return (x - below) + u >= 1.0 ? below + 1.0 : below;
}

std::int64_t round_shift(std::int64_t x, int k, Rounding rounding) {
  if (k <= 0) {
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
    if (x == 0 || k == 0) return x;
    if (k <= -63) return x > 0 ? kMax : kMin;
    if (x > (kMax >> -k)) return kMax;
    if (x < (kMin >> -k)) return kMin;
    return x * (std::int64_t{1} << -k);
  }
  if (k <= kMaxShiftOfInt64) return round_right_shift(x, k, rounding);
  return round_right_shift(Wide{x}, std::min(k, kMaxShift), rounding);
}

}  // namespace halftone::numeric
