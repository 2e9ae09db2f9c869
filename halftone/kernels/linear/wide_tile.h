// A tile of sums over inputs of 16 bits, or of bytes by weights of 4 bits: sums[p][c] = bias[p][c] + Σ_t Σ_k x[p·pixel + tap[t] + k]·w[t][k][c].
#pragma once

#include <cstddef>
#include <cstdint>

namespace halftone::kernels {

// Read by assembly at the offsets noted. Distances are in bytes. A row of sums has 16 places, a row of weights 8 or 16.
struct WideTile {
  const void* x;               // 0
  std::ptrdiff_t pixel;        // 8
  const std::ptrdiff_t* taps;  // 16
  std::int64_t tap_count;      // 24
  std::int64_t steps;          // 32: of 4 elements, a tap
  const void* weights;         // 40: [T][K/2][columns][2], bytes or words; nibbles [T][K/4][8 columns][4][2 halves], x bytes as they are
  const std::int32_t* bias;    // 48
  std::int32_t* sums;          // 56
  std::ptrdiff_t bias_row;     // 64: 0 where all pixels have one bias, as for nibbles
};

using WideKernel = void (*)(const WideTile*);

// y[i] = x[i] for i < count. Reads and writes nothing behind.
void widen_avx2(const std::uint8_t* x, std::int16_t* y, std::int64_t count);

}  // namespace halftone::kernels
