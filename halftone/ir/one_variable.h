// Functions of two variables of which one is a constant: functions of one variable, the same for all of x or
// one for each channel.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "halftone/ir/op.h"

namespace halftone::ir {

struct OneVariable {
  std::size_t x = 0;             // which of the two inputs the variable is
  std::vector<float> constants;  // one for all of x, or one for each index of its dimension 1
};

// Add, Sub, Mul, Div, Pow, Min or Max with a constant float32 operand, or PRelu with such a slope, that
// broadcasts to the other, of shape x, along dimension 1 at most. `inputs` are the node's, nullptr what is no
// constant. Nothing for another op, other than one constant, one that runs along another dimension, an empty
// one, or one with a NaN.
std::optional<OneVariable> one_variable(const Op& op, std::span<const Tensor* const> inputs, const Shape& x);

// Whether the op is one of those, whatever its operands.
bool takes_constant(const Op& op);

// op(x, constant), or op(constant, x) when the variable is input 1; in double.
double value_with(const Op& op, std::size_t variable, double x, double constant);

}  // namespace halftone::ir
