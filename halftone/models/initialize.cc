#include "halftone/models/initialize.h"

#include <cmath>

#include "halftone/base/standard_normal.h"

namespace halftone::models {
namespace {

// Uniform in [−1, 1): a multiple of 2^−23, exact in float32.
float signed_unit(std::mt19937_64& random) { return static_cast<float>(random() >> 40) * 0x1p-23F - 1.0F; }

}  // namespace

Tensor random_weights(Shape shape, Init init, std::mt19937_64& random) {
  const std::int64_t area = product(shape, 2, shape.size());
  const auto fan_in = static_cast<double>(shape.at(1) * area);
  const auto fan_out = static_cast<double>(shape.at(0) * area);
  Tensor weights(DType::float32, std::move(shape));
  if (init == Init::kaiming_normal) {
    const auto deviation = static_cast<float>(std::sqrt(2.0 / fan_in));
    for (float& weight : weights.mutable_data<float>()) weight = deviation * standard_normal(random);
    return weights;
  }
  const auto bound = static_cast<float>(std::sqrt(6.0 / (init == Init::kaiming ? fan_in : fan_in + fan_out)));
  for (float& weight : weights.mutable_data<float>()) weight = bound * signed_unit(random);
  return weights;
}

Tensor random_near(std::int64_t count, float centre, float spread, std::mt19937_64& random) {
  Tensor numbers(DType::float32, {count});
  for (float& number : numbers.mutable_data<float>()) number = centre + spread * signed_unit(random);
  return numbers;
}

}  // namespace halftone::models
