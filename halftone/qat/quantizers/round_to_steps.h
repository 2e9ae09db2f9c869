// Rounding to steps as one function of torch's graph.
#pragma once

#include <torch/types.h>

#include "halftone/qat/quantizers/step_loops.h"

namespace halftone::qat {

// Steps of a tensor: one, or one for each index of `axis`.
struct StepShape {
  std::int64_t axis = -1;  // -1: one
  StepBounds bounds;
  // By which the gradient of steps is multiplied: 1/√(N·hi), N elements a step, in Esser et al., section 2.2.
  double gradient_scale = 1.0;
};

// y = s·clamp(half_even(x/s), lo, hi) with the gradients of step_loops.h. x is float32, `s` float32 of [1] or [channels], positive; it
// gets a gradient where it wants one.
torch::Tensor round_to_steps(const torch::Tensor& x, const torch::Tensor& s, const StepShape& shape);

}  // namespace halftone::qat
