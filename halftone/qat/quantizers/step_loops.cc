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

// In float, by lanes.
HALFTONE_CLONES double sum_of(const float* x, std::int64_t count) {
  float sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane];
  double all = 0.0;
  for (float sum : sums) all += static_cast<double>(sum);
  for (; i < count; ++i) all += static_cast<double>(x[i]);
  return all;
}

inline float lesser(float a, float b) { return a < b ? a : b; }
inline float larger(float a, float b) { return a > b ? a : b; }

struct Parts {
  float inside[kMostTogether];
  float above[kMostTogether];
  float below[kMostTogether];
};

// Without a branch, which would be taken by chance: 1 or 0 stand for what lies beyond the bounds.
HALFTONE_CLONES void part(const float* __restrict x, const float* __restrict g, float* __restrict g_x, std::int64_t count, float s, StepBounds bounds, float outside, Parts& parts) {
  constexpr float kFar = 0x1p60F;
  constexpr float kSteep = 0x1p40F;
  float* __restrict inside = parts.inside;
  float* __restrict above = parts.above;
  float* __restrict below = parts.below;
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = larger(lesser(x[i] / s, kFar), -kFar);
    const float clamped = larger(lesser(v, bounds.hi), bounds.lo);
    const float beyond = v - clamped;
    const float is_above = larger(lesser((beyond - kEdge) * kSteep, 1.0F), 0.0F);
    const float is_below = larger(lesser((-beyond - kEdge) * kSteep, 1.0F), 0.0F);
    const float is_inside = 1.0F - is_above - is_below;
    above[i] = g[i] * is_above;
    below[i] = g[i] * is_below;
    inside[i] = g[i] * ((rounded(clamped) - v) * is_inside);
    g_x[i] = g[i] * larger(is_inside, outside);
  }
}

}  // namespace

StepSums round_to_steps_gradient(const float* x, const float* g, float* g_x, std::int64_t count, float s, StepBounds bounds, bool passes) {
  StepSums all;
  for (std::int64_t first = 0; first < count; first += kMostTogether) {
    Parts parts;
    const std::int64_t some = std::min(kMostTogether, count - first);
    part(x + first, g + first, g_x + first, some, s, bounds, passes ? 1.0F : 0.0F, parts);
    all.inside += sum_of(parts.inside, some);
    all.above += sum_of(parts.above, some);
    all.below += sum_of(parts.below, some);
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

// And the products that the gradient of s is the sum of.
HALFTONE_CLONES void part_of_weights(const float* __restrict v, const float* __restrict g, float* __restrict g_v, std::int64_t count, float s, StepBounds bounds, float* __restrict products) {
  constexpr float kSteep = 0x1p100F;
  const float slope = s * bounds.hi;
  for (std::int64_t i = 0; i < count; ++i) {
    const float w = v[i] * bounds.hi;
    const float clamped = larger(lesser(w, bounds.hi), bounds.lo);
    const float beyond = larger(w - clamped, clamped - w);
    g_v[i] = g[i] * (slope * (1.0F - lesser(beyond * kSteep, 1.0F)));
    products[i] = g[i] * rounded(clamped);
  }
}

}  // namespace

double round_weights_gradient(const float* v, const float* g, float* g_v, std::int64_t count, float s, StepBounds bounds) {
  double all = 0.0;
  for (std::int64_t first = 0; first < count; first += kMostTogether) {
    float products[kMostTogether];
    const std::int64_t some = std::min(kMostTogether, count - first);
    part_of_weights(v + first, g + first, g_v + first, some, s, bounds, products);
    all += sum_of(products, some);
  }
  return all;
}

}  // namespace halftone::qat
