// Random numbers in tensors, for comparing two ways to compute one thing.
#pragma once

#include <random>

#include "halftone/base/tensor.h"

namespace halftone {

// Multiples of 2^-10 in [-2, 2).
inline Tensor random_tensor(Shape shape, std::mt19937_64& random) {
  Tensor tensor(DType::float32, std::move(shape));
  for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(random() >> 52) * 0x1p-10F - 2.0F;
  return tensor;
}

}  // namespace halftone
