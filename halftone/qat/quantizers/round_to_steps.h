// Rounding to steps as one function of torch's graph.
#pragma once

#include <torch/types.h>

#include "halftone/qat/quantizers/step_loops.h"

namespace halftone::qat {

// How the gradient of a step is taken, by v = x/s.
enum class StepGradient {
  rounding,  // half_even(v) − v within the bounds, the bound outside: Esser et al., ICLR 2020, equation 3; Jain et al., MLSys 2020
  clipping,  // 0 within the bounds, the bound outside: Choi et al., "PACT", 2018, equation 3
};

// Steps of a tensor: one, or one for each index of `axis`.
struct StepShape {
  std::int64_t axis = -1;  // -1: one
  StepBounds bounds;
  // By which the gradient of steps is multiplied: 1/√(N·hi), N elements a step, in Esser et al., section 2.2.
  double gradient_scale = 1.0;
  StepGradient gradient = StepGradient::rounding;
  bool passes_outside = false;  // the gradient of x: straight through beyond the bounds too
};

// y = s·clamp(half_even(x/s), lo, hi), with the gradients of step_loops.h. x is float32, `s` float32 of [1] or [channels], positive; it
// gets a gradient where it wants one.
torch::Tensor round_to_steps(const torch::Tensor& x, const torch::Tensor& s, const StepShape& shape);

// The same with a zero point that is trained, float32 [1], for one step: z' = half_even(z), bounds lo − z' and hi − z', and
// ∂y/∂z = −s beyond the bounds, else 0 (Bhalgat et al., "LSQ+", CVPRW 2020, equation 8, with β = −s·z').
torch::Tensor round_to_steps(const torch::Tensor& x, const torch::Tensor& s, const torch::Tensor& z, const StepShape& shape);

// Weights v = w/(s·hi) at steps s of [1] or, along `axis`, [channels], with the gradients of step_loops.h: moving a step rounds nothing anew.
torch::Tensor round_weights(const torch::Tensor& v, const torch::Tensor& s, std::int64_t axis, const StepBounds& bounds);

}  // namespace halftone::qat
