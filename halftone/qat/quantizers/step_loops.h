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

// With g = ∂L/∂y, which is not g_x: g_x = g where lo <= x/s <= hi, else 0 (straight through the rounding). A 1,024th of a step beyond the
// bounds is within them: what was rounded before, as values that share a scale are, comes back as hi·s/s, which may be above hi. Returns
// Σ g·∂y/∂s, where ∂y/∂s = half_even(x/s) − x/s within the bounds, lo below and hi above them: Esser et al., "Learned step
// size quantization", ICLR 2020, equations 2 and 3.
double round_to_steps_gradient(const float* x, const float* g, float* g_x, std::int64_t count, float s, StepBounds bounds);

}  // namespace halftone::qat
