#include "halftone/numeric/affine.h"

#include <fmt/format.h>

#include <cfloat>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::numeric {

Affine affine_from_range(Range range, const IntegerFormat& format, Scheme scheme, bool power_of_two) {
  check(format);
  if (!std::isfinite(range.lo) || !std::isfinite(range.hi) || range.lo > range.hi)
    throw InputError("range",
                     fmt::format("got {} to {}, expected finite numbers in order", range.lo, range.hi));
  const double lo = std::min(range.lo, 0.0);
  const double hi = std::max(range.hi, 0.0);
  if (lo == hi) return {};
  double scale = 0.0;
  if (scheme == Scheme::asymmetric) {
    scale = (hi - lo) / (static_cast<double>(format.qmax()) - format.qmin());
  } else {
    if (!format.is_signed && lo < 0.0)
      throw InputError("range", fmt::format("negative values in symmetric {}, got {}, expected lo >= 0",
                                            name_of(format), lo));
    const bool full = format.is_signed && !format.narrow;
    scale = std::max(-lo, hi) / (full ? std::ldexp(1.0, format.bits - 1) : format.qmax());
  }
  Affine affine;
  affine.scale = power_of_two ? ceil_power_of_two(scale)
                              : static_cast<float>(std::clamp<double>(scale, FLT_MIN, FLT_MAX));
  if (scheme == Scheme::asymmetric) {
    const double zero = round_real(format.qmin() - lo / affine.scale, Rounding::half_even);
    affine.zero_point = static_cast<std::int32_t>(std::clamp<double>(zero, format.qmin(), format.qmax()));
  }
  return affine;
}

Affine fixed_point(int fraction_length) {
  if (fraction_length < -126 || fraction_length > 126)
    throw UsageError("fixed point", fmt::format("fraction length out of range, got {}, expected -126 to 126",
                                                fraction_length));
  return {std::ldexp(1.0F, -fraction_length), 0};
}

std::int32_t quantize(float r, const Affine& affine, const IntegerFormat& format, Rounding rounding) {
  if (std::isnan(r)) throw InputError("quantize", "not a number (NaN), expected a real value");
  const float ratio = r / affine.scale;
  const double q = round_real(ratio, rounding) + affine.zero_point;
  return static_cast<std::int32_t>(std::clamp<double>(q, format.qmin(), format.qmax()));
}

float ceil_power_of_two(double x) {
  int exponent = 0;
  // x = mantissa·2^exponent, mantissa in [0.5, 1)
  const double mantissa = std::frexp(std::clamp<double>(x, FLT_MIN, 0x1p127), &exponent);
  if (mantissa == 0.5) --exponent;
  return std::ldexp(1.0F, std::clamp(exponent, FLT_MIN_EXP - 1, FLT_MAX_EXP - 1));
}

bool is_power_of_two(float x) {
  int exponent = 0;
  return x >= FLT_MIN && std::isfinite(x) && std::frexp(x, &exponent) == 0.5F;
}

int exponent_of(float power_of_two) { return std::ilogb(power_of_two); }

}  // namespace halftone::numeric
