#include "halftone/numeric/multiplier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/numeric/rounding.h"

namespace halftone::numeric {

double Multiplier::real() const { return std::ldexp(static_cast<double>(m), -shift()); }

Multiplier multiplier_from(double M, int bits) {
  if (bits != 8 && bits != 16 && bits != 32)
    throw UsageError("multiplier", fmt::format("mantissa width, got {}, expected 8, 16 or 32", bits));
  if (!std::isfinite(M) || M <= 0.0)
    throw InputError("multiplier", fmt::format("got {}, expected a finite positive number", M));
  Multiplier result{.bits = bits};
  int exponent = 0;
  const double mantissa = std::frexp(M, &exponent);  // M = mantissa·2^exponent, mantissa in [0.5, 1)
  result.n = -exponent;
  result.m = static_cast<std::int64_t>(round_real(std::ldexp(mantissa, bits - 1), Rounding::half_even));
  if (result.m == std::int64_t{1} << (bits - 1)) {
    result.m /= 2;
    result.n -= 1;
  }
  return result;
}

std::vector<Multiplier> shared_multipliers(std::span<const double> M, int bits) {
  std::vector<Multiplier> result;
  if (M.empty()) return result;
  for (double each : M) multiplier_from(each, bits);  // validates every term
  const Multiplier largest = multiplier_from(*std::max_element(M.begin(), M.end()), bits);
  for (double each : M) {
    const double m = round_real(std::ldexp(each, largest.shift()), Rounding::half_even);
    result.push_back({static_cast<std::int64_t>(m), largest.n, bits});
  }
  return result;
}

}  // namespace halftone::numeric
