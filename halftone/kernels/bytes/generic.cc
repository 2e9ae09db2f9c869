#include <algorithm>
#include <cmath>

#include "halftone/kernels/bytes/bytes.h"

namespace halftone::kernels {
namespace {

bool quantize(const float* x, std::ptrdiff_t x_plane, std::int64_t planes, std::int64_t count, std::uint8_t* y, const QuantizeRule& rule) {
  const float lo = static_cast<float>(rule.lo - rule.zero_point);
  const float hi = static_cast<float>(rule.hi - rule.zero_point);
  bool is_number = true;
  for (std::int64_t plane = 0; plane < planes; ++plane)
    for (std::int64_t i = 0; i < count; ++i) {
      const float v = x[plane * x_plane + i] / rule.scale;
      is_number &= v == v;
      // Between whole bounds, rounding and clamping change places.
      const float clamped = std::min(std::max(v, lo), hi);
      y[i * planes + plane] = static_cast<std::uint8_t>(static_cast<std::int32_t>(std::nearbyint(clamped)) + rule.zero_point);
    }
  return is_number;
}

void add(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y, std::int64_t count, const AddRule& rule) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = rule(a[i], b[i]);
}

void largest(const WindowRun& run) {
  for (std::int64_t p = 0; p < run.pixels; ++p) {
    std::uint8_t* y = run.y + p * run.y_pixel;
    std::fill_n(y, run.channels, std::uint8_t{0});
    for (std::int64_t t = 0; t < run.tap_count; ++t) {
      const std::uint8_t* x = run.x + p * run.x_pixel + run.taps[t];
      for (std::int64_t c = 0; c < run.channels; ++c) y[c] = std::max(y[c], x[c]);
    }
  }
}

void sum(const std::uint8_t* x, std::ptrdiff_t x_pixel, std::int64_t pixels, std::int64_t channels, std::int32_t* sums) {
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < channels; ++c) sums[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[c]) + x[p * x_pixel + c]);
}

void look_up(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = table[x[i]];
}

}  // namespace

const ByteLoops kGenericByteLoops{quantize, add, largest, sum, look_up};

}  // namespace halftone::kernels
