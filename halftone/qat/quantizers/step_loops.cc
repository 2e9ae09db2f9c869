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

struct FloatSums {
  float inside[kLanes] = {};
  float above[kLanes] = {};
  float below[kLanes] = {};
};

double total(const float* sums) {
  double all = 0.0;
  for (std::int64_t lane = 0; lane < kLanes; ++lane) all += static_cast<double>(sums[lane]);
  return all;
}

// A stretch whose sums fit float32 well.
HALFTONE_CLONES void add_stretch(const float* x, const float* g, float* g_x, std::int64_t count, float s, StepBounds bounds, float outside, FloatSums& sums) {
  FloatSums own;
  const auto one = [&](std::int64_t i, std::int64_t lane) {
    const float v = x[i] / s;
    const float clamped = v < bounds.lo ? bounds.lo : v > bounds.hi ? bounds.hi : v;
    const bool is_below = v < bounds.lo - kEdge;
    const bool is_above = v > bounds.hi + kEdge;
    const bool inside = !is_below && !is_above;
    g_x[i] = inside ? g[i] : outside * g[i];
    own.inside[lane] += inside ? g[i] * (rounded(clamped) - v) : 0.0F;
    own.above[lane] += is_above ? g[i] : 0.0F;
    own.below[lane] += is_below ? g[i] : 0.0F;
  };
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) one(i + lane, lane);
  for (; i < count; ++i) one(i, 0);
  sums = own;
}

}  // namespace

StepSums round_to_steps_gradient(const float* x, const float* g, float* g_x, std::int64_t count, float s, StepBounds bounds, bool passes) {
  StepSums all;
  for (std::int64_t first = 0; first < count; first += kMostTogether) {
    FloatSums sums;
    add_stretch(x + first, g + first, g_x + first, std::min(kMostTogether, count - first), s, bounds, passes ? 1.0F : 0.0F, sums);
    all.inside += total(sums.inside);
    all.above += total(sums.above);
    all.below += total(sums.below);
  }
  return all;
}

HALFTONE_CLONES void round_weights(const float* v, float* y, std::int64_t count, float s, StepBounds bounds) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float w = v[i] * bounds.hi;
    y[i] = s * rounded(w < bounds.lo ? bounds.lo : w > bounds.hi ? bounds.hi : w);
  }
}

namespace {

HALFTONE_CLONES void add_weights(const float* v, const float* g, float* g_v, std::int64_t count, float s, StepBounds bounds, FloatSums& sums) {
  FloatSums own;
  const float slope = s * bounds.hi;
  const auto one = [&](std::int64_t i, std::int64_t lane) {
    const float w = v[i] * bounds.hi;
    const float clamped = w < bounds.lo ? bounds.lo : w > bounds.hi ? bounds.hi : w;
    g_v[i] = w == clamped ? g[i] * slope : 0.0F;
    own.inside[lane] += g[i] * rounded(clamped);
  };
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) one(i + lane, lane);
  for (; i < count; ++i) one(i, 0);
  sums = own;
}

}  // namespace

double round_weights_gradient(const float* v, const float* g, float* g_v, std::int64_t count, float s, StepBounds bounds) {
  double all = 0.0;
  for (std::int64_t first = 0; first < count; first += kMostTogether) {
    FloatSums sums;
    add_weights(v + first, g + first, g_v + first, std::min(kMostTogether, count - first), s, bounds, sums);
    all += total(sums.inside);
  }
  return all;
}

}  // namespace halftone::qat
