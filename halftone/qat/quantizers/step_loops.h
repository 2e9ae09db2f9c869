// The loops of rounding to steps and of its gradients, without temporaries.
#pragma once

#include <cstdint>

namespace halftone::qat {

// Integers less the zero point, as floats: lo <= 0 <= hi, both whole and below 2^22.
struct StepBounds {
  float lo = 0.0F;
  float hi = 0.0F;
};

// y = s·clamp(half_even(x/s), lo, hi): one float32 division, as docs/arithmetic.md section 3. x and y may be the same.
void round_to_steps(const float* x, float* y, std::int64_t count, float s, StepBounds bounds);

// Sums that the gradients of steps are made of, g being ∂L/∂y and v = x/s.
struct StepSums {
  double inside = 0.0;  // Σ g·(half_even(v) − v) where lo <= v <= hi
  double above = 0.0;   // Σ g where v > hi
  double below = 0.0;   // Σ g where v < lo
};

// g_x = g where lo <= x/s <= hi, elsewhere 0, or g too if it `passes` there; g_x is not g. A 1,024th of a step beyond the bounds is
// within them: what was rounded before, as values that share a scale are, comes back as hi·s/s, which may be above hi.
StepSums round_to_steps_gradient(const float* x, const float* g, float* g_x, std::int64_t count, float s, StepBounds bounds, bool passes = false);

// Weights that are trained as v = w/(s·hi): y = s·clamp(half_even(v·hi), lo, hi).
void round_weights(const float* v, float* y, std::int64_t count, float s, StepBounds bounds);

// With g = ∂L/∂y: g_v = g·s·hi where lo <= v·hi <= hi, else 0; g_v is not g. Returns Σ g·y/s, the gradient of s, as its integers stay.
double round_weights_gradient(const float* v, const float* g, float* g_v, std::int64_t count, float s, StepBounds bounds);

}  // namespace halftone::qat
