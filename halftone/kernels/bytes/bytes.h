// Loops over bytes without weights: floats to bytes, two operands to one, the largest and the sum of a window, tables. One table of
// functions for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "halftone/kernels/isa.h"

namespace halftone::kernels {

// y = clamp(half_even(x / scale) + zero_point): one float32 division. docs/arithmetic.md section 3.
struct QuantizeRule {
  float scale = 1.0F;
  std::int32_t zero_point = 0;  // of the stored bytes, as the bounds are
  std::int32_t lo = 0;
  std::int32_t hi = 255;
};

// y = clamp((m_a·a + m_b·b + c) >> shift), a and b as they are stored. `c` holds the zero points and half of 2^shift.
struct AddRule {
  std::int64_t m_a = 0;
  std::int64_t m_b = 0;
  std::int64_t c = 0;
  int shift = 16;
  std::int32_t lo = 0;
  std::int32_t hi = 255;

  // Whether add() computes this rule: its halves of 16 bits and their sums fit 32.
  bool is_supported() const;
  std::uint8_t operator()(std::int32_t a, std::int32_t b) const {
    const std::int64_t y = (m_a * a + m_b * b + c) >> shift;
    return static_cast<std::uint8_t>(y < lo ? lo : y > hi ? hi : y);
  }
};

// y[p·y_pixel + c] = max over t of x[p·x_pixel + taps[t] + c], 0 without taps. kReadBehind bytes (linear.h) may be read behind a pixel's channels.
struct WindowRun {
  const std::uint8_t* x = nullptr;
  std::ptrdiff_t x_pixel = 0;
  const std::ptrdiff_t* taps = nullptr;
  std::int64_t tap_count = 0;
  std::int64_t pixels = 0;
  std::int64_t channels = 0;
  std::uint8_t* y = nullptr;
  std::ptrdiff_t y_pixel = 0;
};

struct ByteLoops {
  // `planes` runs of `count` floats, `x_plane` apart, to count pixels of `planes` bytes. False where a float is not a number.
  bool (*quantize)(const float* x, std::ptrdiff_t x_plane, std::int64_t planes, std::int64_t count, std::uint8_t* y, const QuantizeRule& rule);
  void (*add)(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y, std::int64_t count, const AddRule& rule);
  void (*largest)(const WindowRun& run);
  // sums[c] += Σ_p x[p·x_pixel + c] for c < channels, wrapped.
  void (*sum)(const std::uint8_t* x, std::ptrdiff_t x_pixel, std::int64_t pixels, std::int64_t channels, std::int32_t* sums);
  // y[i] = table[x[i]], a table of 256.
  void (*look_up)(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t count);
};

const ByteLoops& byte_loops(Isa isa);

extern const ByteLoops kGenericByteLoops;
extern const ByteLoops kAvx2ByteLoops;
extern const ByteLoops kAvx512ByteLoops;

}  // namespace halftone::kernels
