#include "halftone/numeric/accumulator.h"

#include <algorithm>
#include <cstdlib>

namespace halftone::numeric {

std::int64_t accumulator_bound(std::span<const std::int32_t> weights, std::int64_t bias,
                               const IntegerFormat& x, std::int32_t x_zero_point) {
  // |w| < 2^17, |q_x| < 2^17 and fewer than 2^28 terms a row: these sums stay below 2^62.
  std::int64_t magnitude = 0;
  std::int64_t sum = 0;
  for (std::int32_t w : weights) {
    magnitude += std::abs(static_cast<std::int64_t>(w));
    sum += w;
  }
  const std::int64_t centred = std::max<std::int64_t>(std::abs(std::int64_t{x.qmin()} - x_zero_point),
                                                      std::abs(std::int64_t{x.qmax()} - x_zero_point));
  const std::int64_t raw = std::max<std::int64_t>(std::abs(x.qmin()), std::abs(x.qmax()));
  return std::max(centred * magnitude + std::abs(bias),
                  raw * magnitude + std::abs(bias - x_zero_point * sum));
}

int signed_bits_for(std::int64_t bound) {
  int bits = 1;
  while (bits < 64 && (std::int64_t{1} << (bits - 1)) - 1 < bound) ++bits;
  return bits;
}

}  // namespace halftone::numeric
