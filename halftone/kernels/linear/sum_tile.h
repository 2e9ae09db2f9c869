// A tile of sums: sums[p][c] = bias[c] + Σ_t Σ_k x[p·pixel + tap[t] + k]·w[t][k][c], in the order of columns of the packed weights, x
// and w both bytes or both words.
#pragma once

#include <cstddef>
#include <cstdint>

#include "halftone/kernels/linear/stored.h"
#include "halftone/numeric/rounding.h"

namespace halftone::kernels {

// The numbers that bring the sums of 16 columns to integers.
struct alignas(64) Columns {
  std::int32_t m[16] = {};
  std::int32_t m_odd[16] = {};  // m of the next column: what a product of odd lanes takes
  std::int32_t shift[16] = {};
  float M[16] = {};
};

// Read by assembly at the offsets noted, as Columns are.
struct alignas(64) HalfUpEnding {
  HalfUpEnding(std::int32_t zero_point, std::int32_t least, std::int32_t most);

  std::int16_t half[32];        // 0: 2^14, by which words are halved and rounded
  std::int16_t zero[32];        // 64
  std::uint8_t lo[64];          // 128
  std::uint8_t hi[64];          // 192
  std::int64_t two_pixels[8];   // 256: the 8 bytes of each that make pixels whole
  std::int32_t four_pixels[16]; // 320: the 4 bytes
};

// Sums go to `sums`, or, where the tile has columns (Finish::half_up to bytes), on to integers at `y`.
struct SumTile {
  const std::uint8_t* x;       // 0
  std::ptrdiff_t pixel;        // 8
  const std::ptrdiff_t* taps;  // 16
  std::int64_t tap_count;      // 24
  std::int64_t steps;          // 32: of 4 bytes, a tap
  const void* weights;         // 40
  const std::int32_t* bias;    // 48
  std::int32_t* sums;          // 56
  const Columns* columns;      // 64
  std::uint8_t* y;             // 72
  std::ptrdiff_t y_pixel;      // 80
  const HalfUpEnding* ending;  // 88
  std::uint64_t channels;      // 96: a bit for each
  const void* next;            // 104: lines that are fetched into the second cache meanwhile, one a step
};

using SumKernel = void (*)(const SumTile*);

enum class Finish {
  half_up,  // m in [2^30, 2^31), the shift above 33 is stored, and there are no ties unless half up is asked for
  exact,    // 0 <= m < 2^31, 1 <= shift <= 62
  real,     // one float32 product with M
  plain,    // the rest, one by one
};

struct FinishRule {
  numeric::Rounding rounding = numeric::Rounding::half_even;
  std::int32_t zero_point = 0;
  std::int32_t lo = 0;
  std::int32_t hi = 255;
  int channels = 64;  // of the panel
};

// Sums of `pixels` pixels, columns in the order of channel_of, to bytes or words in the order of channels. y_pixel is in bytes.
using FinishKernel = void (*)(const std::int32_t* sums, int pixels, const Columns* columns, const FinishRule& rule, std::uint8_t* y,
                              std::ptrdiff_t y_pixel);

// The channel, in a panel of 16·registers, of a lane of a register: such that packing instructions leave channels in order.
constexpr int channel_of(int registers, int at, int lane) {
  if (registers == 4) return lane / 4 * 16 + at * 4 + lane % 4;
  if (registers == 2) return lane / 4 * 8 + at * 4 + lane % 4;
  return lane;
}

// nullptr: plain. A register is 16 columns on either; AVX2 has panels of one.
FinishKernel finish_avx512(Finish kind, int registers, Stored y);
FinishKernel finish_avx2(Finish kind, int registers, Stored y);

}  // namespace halftone::kernels
