// Random numbers that are the same on every machine.
#pragma once

#include <cstdint>
#include <random>

namespace halftone {

// Nearly normal, of mean 0 and standard deviation 1: twelve 16-bit integers k, uniform in [0, 2^16), have the
// variance 2^32 − 1 together. Their sum is exact; no function of the C library, which may differ, is needed.
inline float standard_normal(std::mt19937_64& random) {
  std::int64_t sum = -12 * 65535 / 2;
  for (int draw = 0; draw < 3; ++draw) {
    const std::uint64_t bits = random();
    for (int shift = 0; shift < 64; shift += 16) sum += static_cast<std::int64_t>(bits >> shift & 0xFFFFU);
  }
  return static_cast<float>(sum) * 0x1p-16F;
}

}  // namespace halftone
