// 16-bit floats as storage: arithmetic is done in float32.
#pragma once

#include <bit>
#include <cstdint>

namespace halftone {

// IEEE 754 binary16. From float32: to nearest, ties to even, overflow to infinity, NaN stays NaN.
struct float16 {
  std::uint16_t bits = 0;
  float16() = default;
  explicit float16(float value);
  operator float() const;
};

// The upper half of binary32. From float32: to nearest, ties to even, NaN stays NaN.
struct bfloat16 {
  std::uint16_t bits = 0;
  bfloat16() = default;
  explicit bfloat16(float value);
  operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

}  // namespace halftone
