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

void largest(const std::uint8_t* const* rows, std::int64_t row_count, std::uint8_t* y, std::int64_t count) {
  if (rows[0] != y) std::copy(rows[0], rows[0] + count, y);
  for (std::int64_t r = 1; r < row_count; ++r)
    for (std::int64_t k = 0; k < count; ++k) y[k] = std::max(y[k], rows[r][k]);
}

}  // namespace

const ByteLoops kGenericByteLoops{quantize, add, largest};

}  // namespace halftone::kernels
