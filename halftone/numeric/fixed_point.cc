#include "halftone/numeric/fixed_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/numeric/affine.h"
#include "halftone/numeric/rounding.h"

namespace halftone::numeric {

std::string_view name_of(Overflow overflow) { return overflow == Overflow::saturate ? "saturate" : "wrap"; }

Overflow overflow_from(std::string_view name) {
  for (Overflow overflow : {Overflow::saturate, Overflow::wrap})
    if (name == name_of(overflow)) return overflow;
  throw UsageError("overflow", fmt::format("got '{}', expected saturate or wrap", name));
}

void check(const FixedPoint& fixed) {
  check(fixed.format());
  fixed_point(fixed.fraction_length);
}

std::int32_t to_fixed_point(float r, const FixedPoint& fixed, Overflow overflow) {
  if (std::isnan(r)) throw InputError("fixed point", "not a number (NaN), expected a real value");
  const IntegerFormat format = fixed.format();
  // A double holds r·2^fl for every float32 r and |fl| <= 126.
  const double q = round_real(std::ldexp(static_cast<double>(r), fixed.fraction_length), Rounding::half_even);
  if (overflow == Overflow::saturate)
    return static_cast<std::int32_t>(std::clamp<double>(q, format.qmin(), format.qmax()));
  if (std::isinf(q)) throw InputError("fixed point", "infinity has no low bits, expected a finite value");
  // Modulo 2^16 first, exactly: q may be far beyond int64.
  const double low = std::fmod(q, std::ldexp(1.0, kMaxBits));
  return static_cast<std::int32_t>(wrap(static_cast<std::int64_t>(low), format));
}

float from_fixed_point(std::int32_t q, const FixedPoint& fixed) {
  return dequantize(q, numeric::fixed_point(fixed.fraction_length));
}

}  // namespace halftone::numeric
