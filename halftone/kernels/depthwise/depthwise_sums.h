// Sums of channels that have a window each, in the ways of instruction sets, and their packers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "halftone/kernels/linear/linear.h"

namespace halftone::kernels {

inline constexpr std::int64_t kMostDepthwiseTaps = 128;

// 64 lanes of some pixels, taps four at a time. A lane is a channel of a pixel: all 64 are of one, or 32 each of two, or 16 each of four.
struct DepthwiseQuads {
  const std::uint8_t* x;        // of the first pixel, the panel's first channel
  std::ptrdiff_t x_pixel;
  const std::ptrdiff_t* taps;   // a multiple of four, those behind the last being any
  std::int64_t quads;           // of taps
  const std::int8_t* weights;   // [quad][4 registers][16 lanes][4 taps], 64-byte aligned
  const std::int32_t* bias;     // [64], in the order of sums
  std::int32_t* sums;           // [pixels / pixels a register][64]
  int channels;                 // that are there, of one pixel: others are not read
  int pixels_a_register = 1;    // 1, 2 or 4: 32 or 16 bytes are read at each tap where it is 2 or 4
  int pixels = 0;               // a multiple of it
};

void sum_depthwise_avx512(const DepthwiseQuads& sums);

// The same for windows of 3x3 that overlap, a column or two after one another: the columns of an even pixel's window serve the odd one
// behind it, too. Sums of even pixels and of odd ones take turns; with 2 (or 4) pixels a register they are those of pixels 0 and 2
// (4, 6), then of 1 and 3 (5, 7).
struct DepthwiseRows {
  const std::uint8_t* rows[3];  // of the window of the first pixel, the panel's first channel
  std::ptrdiff_t x_column;
  int stride;                   // 1 or 2 columns from one window to the next
  // Weights of columns 0 to 3 by row: [row][even: w0 w1 w2 0, odd: 0 w0 w1 w2, or 0 0 w0 w1][4 registers][16 lanes][4], 64-byte aligned; then of
  // column 4, with stride 2: [4 registers][16 lanes][w2 of each row, 0].
  const std::int8_t* weights;
  const std::int32_t* bias;     // [64]
  std::int32_t* sums;           // [2 x pairs of registers][64]
  int channels;
  int pixels_a_register = 1;
  int pixels = 0;               // a multiple of twice that
};

void sum_depthwise_rows_avx512(const DepthwiseRows& sums);

// 16 channels of some pixels, taps two at a time. 16 bytes are read at each tap.
struct DepthwisePairs {
  const std::uint8_t* x;        // of the first pixel, the panel's first channel
  std::ptrdiff_t x_pixel;
  const std::ptrdiff_t* taps;   // an even number, one behind the last being any
  std::int64_t pairs;           // of taps
  const std::int16_t* weights;  // [pair][2 registers][8 channels][2 taps], 32-byte aligned
  const std::int32_t* bias;     // [16]
  std::int32_t* sums;           // [pixels][16], 32-byte aligned
  int pixels = 0;
};

void sum_depthwise_avx2(const DepthwisePairs& sums);

// The same for windows of 3x3 that overlap, a pixel or two after one another: each column is read once for all windows that it is in.
// weights: [column][row pair (0, 1), then (2, none)][2 registers][8 channels][2 taps].
struct DepthwiseColumns {
  const std::uint8_t* rows[3];  // of the window of the first pixel, the panel's first channel
  std::ptrdiff_t x_column;
  int stride;                   // 1 or 2 columns from one window to the next
  const std::int16_t* weights;  // 32-byte aligned
  const std::int32_t* bias;     // [16]
  std::int32_t* sums;           // [pixels][16], 32-byte aligned
  int pixels = 0;
};

void sum_depthwise_columns_avx2(const DepthwiseColumns& sums);

std::unique_ptr<Linear> pack_depthwise_avx2(const LinearWeights& weights, const Requantization& requantization);
std::unique_ptr<Linear> pack_depthwise_avx512(const LinearWeights& weights, const Requantization& requantization);

}  // namespace halftone::kernels
