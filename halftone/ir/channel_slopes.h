// The slopes of a PRelu that makes it a function of one variable for each channel.
#pragma once

#include <optional>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::ir {

// One slope for all of x, or one for each index of its dimension 1: the elements of a constant float32
// `slope` that broadcasts to x along no other dimension. Nothing for a slope that is no constant (nullptr),
// is empty, runs along another dimension, or holds a NaN.
std::optional<std::vector<float>> channel_slopes(const Tensor* slope, const Shape& x);

}  // namespace halftone::ir
