#include "halftone/numeric/bias.h"

#include <fmt/format.h>

#include <cfloat>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/numeric/affine.h"
#include "halftone/numeric/rounding.h"

namespace halftone::numeric {
namespace {

double real_bias(float b, float s_x, float s_w) {
  if (!std::isfinite(b)) throw InputError("bias", fmt::format("got {}, expected a finite number", b));
  return static_cast<double>(b) / (static_cast<double>(s_x) * static_cast<double>(s_w));
}

bool fits(float b, float s_x, float s_w) {
  return std::fabs(round_real(real_bias(b, s_x, s_w), Rounding::half_even)) <= static_cast<double>(kMaxBias);
}

}  // namespace

std::int64_t quantize_bias(float b, float s_x, float s_w) {
  const double q = round_real(real_bias(b, s_x, s_w), Rounding::half_even);
  if (std::fabs(q) >= 0x1p62)
    throw InputError("bias", fmt::format("{} is too large for scale {}", b, s_x * s_w));
  return static_cast<std::int64_t>(q);
}

float weight_scale_for_bias(float b, float s_x, float s_w, bool power_of_two) {
  if (fits(b, s_x, s_w)) return s_w;
  const double needed =
      std::fabs(static_cast<double>(b)) / (static_cast<double>(s_x) * static_cast<double>(kMaxBias));
  if (needed > (power_of_two ? 0x1p127 : static_cast<double>(FLT_MAX)))
    throw InputError("bias", fmt::format("{} is too large for any weight scale", b));
  float scale = power_of_two ? ceil_power_of_two(needed) : static_cast<float>(needed);
  const auto smaller = [&](float s) { return power_of_two ? s / 2 : std::nextafterf(s, 0.0F); };
  const auto larger = [&](float s) { return power_of_two ? s * 2 : std::nextafterf(s, INFINITY); };
  while (!fits(b, s_x, scale) && std::isfinite(scale)) scale = larger(scale);
  if (!std::isfinite(scale)) throw InputError("bias", fmt::format("{} is too large for any weight scale", b));
  while (fits(b, s_x, smaller(scale))) scale = smaller(scale);
  return scale;
}

NarrowBias quantize_bias_narrow(float b, float s_x, float s_w, int bits) {
  if (bits < 2 || bits > 32)
    throw UsageError("bias", fmt::format("bits out of range, got {}, expected 2 to 32", bits));
  const double limit = std::ldexp(1.0, bits - 1);
  const double real = real_bias(b, s_x, s_w);
  for (int shift = 0;; ++shift) {
    const double q = round_real(std::ldexp(real, -shift), Rounding::half_even);
    if (q >= -limit && q <= limit - 1) return {static_cast<std::int64_t>(q), shift};
  }
}

}  // namespace halftone::numeric
