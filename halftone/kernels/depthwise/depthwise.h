// A Conv in which each channel has a window of its own: y[p][c] = requantize(bias[c] + Σ_t x[p·pixel + tap[t] + c]·w[c][t]),
// channels last, unsigned bytes.
#pragma once

#include "halftone/kernels/linear/linear.h"

namespace halftone::kernels {

// Weights of depth 1. Panels are channels, as in pack_linear. Throws UnsupportedError for an instruction set that this CPU has
// not.
std::unique_ptr<Linear> pack_depthwise(Isa isa, const LinearWeights& weights, const Requantization& requantization);

}  // namespace halftone::kernels
