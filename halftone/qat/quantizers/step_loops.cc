#include "halftone/qat/quantizers/step_loops.h"

#include <algorithm>

// One body for each instruction set that a machine may have, chosen when the program is loaded.
#if defined(__x86_64__) && defined(__GLIBC__)
#define HALFTONE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HALFTONE_CLONES
#endif

namespace halftone::qat {
namespace {

constexpr float kEdge = 0x1p-10F;
constexpr std::int64_t kLanes = 16;        // sums that the gradient of a step is added up in
constexpr std::int64_t kMostTogether = 1024;  // in float, before they are added in double

// Half to even, for |v| < 2^22: what is added leaves no bits behind the point.
inline float rounded(float v) {
  constexpr float kMagic = 12582912.0F;  // 1.5·2^23
  return (v + kMagic) - kMagic;
}

}  // namespace

HALFTONE_CLONES void round_to_steps(const float* x, float* y, std::int64_t count, float s, StepBounds bounds) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = x[i] / s;
    const float clamped = v < bounds.lo ? bounds.lo : v > bounds.hi ? bounds.hi : v;
    y[i] = s * rounded(clamped);
  }
}

namespace {

// A stretch whose sums fit float32 well.
HALFTONE_CLONES float gradient_of_stretch(const float* x, const float* g, float* g_x, std::int64_t count, float s, StepBounds bounds) {
  float sums[kLanes] = {};
  const auto one = [&](std::int64_t i, std::int64_t lane) {
    const float v = x[i] / s;
    const float clamped = v < bounds.lo ? bounds.lo : v > bounds.hi ? bounds.hi : v;
    const bool inside = v >= bounds.lo - kEdge && v <= bounds.hi + kEdge;
    g_x[i] = inside ? g[i] : 0.0F;
    sums[lane] += g[i] * (rounded(clamped) - (inside ? v : 0.0F));
  };
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) one(i + lane, lane);
  for (; i < count; ++i) one(i, 0);
  float total = 0.0F;
  for (float sum : sums) total += sum;
  return total;
}

}  // namespace

double round_to_steps_gradient(const float* x, const float* g, float* g_x, std::int64_t count, float s, StepBounds bounds) {
  double total = 0.0;
  for (std::int64_t first = 0; first < count; first += kMostTogether)
    total += static_cast<double>(gradient_of_stretch(x + first, g + first, g_x + first, std::min(kMostTogether, count - first), s, bounds));
  return total;
}

}  // namespace halftone::qat
