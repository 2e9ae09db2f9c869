// Tensors that a training changes or has to remember.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

namespace halftone::qat {

enum class Role {
  weights,  // trained; decays where the optimizer has it so
  vector,   // trained: biases and normalizations, which do not decay
  step,     // trained at a rate of its own: logarithms of steps, zero points
  memory,   // not trained: averages, what a first batch showed
};

struct NamedTensor {
  std::string name;
  torch::Tensor tensor;
  Role role = Role::memory;
};

}  // namespace halftone::qat
