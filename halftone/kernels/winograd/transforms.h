// The transforms of winograd.h on AVX2, 16 channels at a time. A tile is 2x2 outputs, or the 4x4 inputs that they read.
#pragma once

#include "halftone/kernels/winograd/winograd.h"

namespace halftone::kernels {

struct InputTiles {
  const std::uint8_t* rows[4];  // of inputs, at the first tile's first
  std::ptrdiff_t x_pixel = 0;
  std::int64_t columns = 0;     // of inputs that may be read: a tile beyond reads the last one instead
  std::int64_t tiles = 0;
  std::int64_t depth = 0;       // a multiple of 16
  std::int16_t* v = nullptr;    // [16][tiles][depth]
};
void transform_input_avx2(const InputTiles& tiles);

struct OutputTiles {
  const std::int32_t* products = nullptr;  // [16][tiles][16]
  std::int64_t tiles = 0;
  const std::int32_t* bias = nullptr;      // [16]
  std::int32_t* rows[2] = {};              // [2·tiles][16] each
};
void transform_output_avx2(const OutputTiles& tiles);

std::unique_ptr<Winograd> pack_winograd_avx2(const LinearWeights& weights, const Requantization& requantization);

}  // namespace halftone::kernels
