// Random inputs of a shape given on the command line.
#pragma once

#include <charconv>
#include <random>
#include <stdexcept>
#include <string_view>

#include "halftone/base/tensor.h"

namespace halftone {

inline Shape parse_shape(std::string_view text) {
  Shape shape;
  while (!text.empty()) {
    std::int64_t dim = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), dim);
    if (error != std::errc() || dim < 1) throw std::invalid_argument("a shape is written 1x3x224x224");
    shape.push_back(dim);
    text.remove_prefix(std::min(static_cast<std::size_t>(end - text.data()) + 1, text.size()));
  }
  return shape;
}

// In [−1, 1).
inline Tensor random_input(const Shape& shape, unsigned seed = 1) {
  std::mt19937 random(seed);
  Tensor tensor(DType::float32, shape);
  for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(random() >> 8) * 0x1p-23F - 1.0F;
  return tensor;
}

}  // namespace halftone
