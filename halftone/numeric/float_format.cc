#include "halftone/numeric/float_format.h"

#include <algorithm>
#include <cmath>

#include "halftone/numeric/rounding.h"

namespace halftone::numeric {
namespace {

std::uint32_t exponent_ones(const FloatFormat& f) { return (1U << f.exponent_bits) - 1U; }

std::uint32_t nan_bits(const FloatFormat& f) {
  const std::uint32_t mantissa = f.has_infinity ? 1U << (f.mantissa_bits - 1) : (1U << f.mantissa_bits) - 1U;
  return exponent_ones(f) << f.mantissa_bits | mantissa;
}

}  // namespace

double largest_finite(const FloatFormat& f) {
  const int exponent = static_cast<int>(exponent_ones(f)) - (f.has_infinity ? 1 : 0) - f.bias();
  const double mantissa = 2.0 - std::ldexp(f.has_infinity ? 1.0 : 2.0, -f.mantissa_bits);
  return std::ldexp(mantissa, exponent);
}

std::uint32_t encode(double value, const FloatFormat& f, bool saturate) {
  const std::uint32_t sign = std::signbit(value) ? 1U << (f.exponent_bits + f.mantissa_bits) : 0U;
  if (std::isnan(value)) return sign | nan_bits(f);
  const double magnitude = std::fabs(value);
  int exponent = magnitude == 0.0 || std::isinf(magnitude) ? 1 - f.bias() : std::ilogb(magnitude);
  exponent = std::max(exponent, 1 - f.bias());
  const double unit = std::ldexp(1.0, exponent - f.mantissa_bits);
  double rounded =
      std::isinf(magnitude) ? magnitude : round_real(magnitude / unit, Rounding::half_even) * unit;
  if (rounded > largest_finite(f)) {
    if (!saturate) return sign | (f.has_infinity ? exponent_ones(f) << f.mantissa_bits : nan_bits(f));
    rounded = largest_finite(f);
  }
  if (rounded < std::ldexp(1.0, 1 - f.bias()))
    return sign | static_cast<std::uint32_t>(std::ldexp(rounded, f.bias() - 1 + f.mantissa_bits));
  const int e = std::ilogb(rounded);
  const auto mantissa =
      static_cast<std::uint32_t>(std::ldexp(rounded, f.mantissa_bits - e)) - (1U << f.mantissa_bits);
  return sign | static_cast<std::uint32_t>(e + f.bias()) << f.mantissa_bits | mantissa;
}

double decode(std::uint32_t bits, const FloatFormat& f) {
  const bool negative = (bits >> (f.exponent_bits + f.mantissa_bits) & 1U) != 0;
  const std::uint32_t exponent = bits >> f.mantissa_bits & exponent_ones(f);
  const std::uint32_t mantissa = bits & ((1U << f.mantissa_bits) - 1U);
  double value = 0.0;
  if (exponent == exponent_ones(f) && f.has_infinity) {
    value = mantissa == 0 ? INFINITY : NAN;
  } else if (exponent == exponent_ones(f) && mantissa == (1U << f.mantissa_bits) - 1U) {
    value = NAN;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<double>(mantissa), 1 - f.bias() - f.mantissa_bits);
  } else {
    value = std::ldexp(static_cast<double>(mantissa | 1U << f.mantissa_bits),
                       static_cast<int>(exponent) - f.bias() - f.mantissa_bits);
  }
  return std::copysign(value, negative ? -1.0 : 1.0);
}

}  // namespace halftone::numeric
