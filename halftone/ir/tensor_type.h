// The type of a value before it is computed, and the inputs that an op's shape rule and float meaning
// get.
#pragma once

#include <span>
#include <string>

#include "halftone/base/tensor.h"

namespace halftone::ir {

struct TensorType {
  DType dtype = DType::float32;
  Shape shape;                       // kDynamic where not known until run time
  const Tensor* constant = nullptr;  // the value, when it is known already
};

// Inputs by position; null where an optional one is absent.
using InputTypes = std::span<const TensorType* const>;
using InputTensors = std::span<const Tensor* const>;

struct Arity {
  int min = 1;
  int max = 1;
};
constexpr int kAnyNumber = 1 << 16;

template <typename T>
bool has(std::span<const T* const> inputs, std::size_t i) {
  return i < inputs.size() && inputs[i] != nullptr;
}

}  // namespace halftone::ir
