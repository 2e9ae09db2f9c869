// Sums of one pixel's 64 channels over taps that are taken four at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace halftone::kernels {

struct DepthwiseSums {
  const std::uint8_t* x;       // of the pixel, the panel's first channel
  const std::ptrdiff_t* taps;  // a multiple of four, those behind the last being any
  std::int64_t quads;          // of taps
  const std::int8_t* weights;  // [quad][4 registers][16 columns][4 taps], 64-byte aligned
  const std::int32_t* bias;    // [64], in the order of sums
  std::int32_t* sums;          // [64]
  int channels;                // that are there
};

void sum_depthwise_avx512(const DepthwiseSums& sums);

}  // namespace halftone::kernels
