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

// A stretch whose sums fit float32 well. Lanes are arrays of their own, as those of a struct would not stay in registers.
HALFTONE_CLONES void add_stretch(const float* __restrict x, const float* __restrict g, float* __restrict g_x, std::int64_t count, float s, StepBounds bounds, float outside, FloatSums& sums) {
  float inside[kLanes] = {};
  float above[kLanes] = {};
  float below[kLanes] = {};
  const float lo = bounds.lo, hi = bounds.hi;
  const float least = lo - kEdge, most = hi + kEdge;
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const float v = x[i + lane] / s;
      const float slope = g[i + lane];
      const float clamped = v < lo ? lo : v > hi ? hi : v;
      const bool is_below = v < least;
      const bool is_above = v > most;
      const float error = slope * (rounded(clamped) - v);
      g_x[i + lane] = is_below || is_above ? outside * slope : slope;
      inside[lane] += is_below || is_above ? 0.0F : error;
      above[lane] += is_above ? slope : 0.0F;
      below[lane] += is_below ? slope : 0.0F;
    }
  for (; i < count; ++i) {
    const float v = x[i] / s;
    const float clamped = v < lo ? lo : v > hi ? hi : v;
    const bool is_outside = v < least || v > most;
    g_x[i] = is_outside ? outside * g[i] : g[i];
    inside[0] += is_outside ? 0.0F : g[i] * (rounded(clamped) - v);
    above[0] += v > most ? g[i] : 0.0F;
    below[0] += v < least ? g[i] : 0.0F;
  }
  for (std::int64_t lane = 0; lane < kLanes; ++lane) {
    sums.inside[lane] = inside[lane];
    sums.above[lane] = above[lane];
    sums.below[lane] = below[lane];
  }
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

// Σ g·integer of a stretch.
HALFTONE_CLONES float add_weights(const float* __restrict v, const float* __restrict g, float* __restrict g_v, std::int64_t count, float s, StepBounds bounds) {
  float sums[kLanes] = {};
  const float lo = bounds.lo, hi = bounds.hi, slope = s * bounds.hi;
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const float w = v[i + lane] * hi;
      const float clamped = w < lo ? lo : w > hi ? hi : w;
      g_v[i + lane] = w == clamped ? g[i + lane] * slope : 0.0F;
      sums[lane] += g[i + lane] * rounded(clamped);
    }
  for (; i < count; ++i) {
    const float w = v[i] * hi;
    const float clamped = w < lo ? lo : w > hi ? hi : w;
    g_v[i] = w == clamped ? g[i] * slope : 0.0F;
    sums[0] += g[i] * rounded(clamped);
  }
  float all = 0.0F;
  for (float sum : sums) all += sum;
  return all;
}

}  // namespace

double round_weights_gradient(const float* v, const float* g, float* g_v, std::int64_t count, float s, StepBounds bounds) {
  double all = 0.0;
  for (std::int64_t first = 0; first < count; first += kMostTogether)
    all += static_cast<double>(add_weights(v + first, g + first, g_v + first, std::min(kMostTogether, count - first), s, bounds));
  return all;
}

}  // namespace halftone::qat
