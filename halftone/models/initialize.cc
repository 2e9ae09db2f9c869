#include "halftone/models/initialize.h"

#include <cmath>

namespace halftone::models {
namespace {

// Uniform in [−1, 1): a multiple of 2^−23, exact in float32.
float signed_unit(std::mt19937_64& random) { return static_cast<float>(random() >> 40) * 0x1p-23F - 1.0F; }

// Nearly normal, of mean 0 and standard deviation 1: twelve 16-bit integers k, uniform in [0, 2^16), have the
// variance 2^32 − 1 together. Their sum is exact; no function of the C library, which may differ, is needed.
float standard_normal(std::mt19937_64& random) {
  std::int64_t sum = -12 * 65535 / 2;
  for (int draw = 0; draw < 3; ++draw) {
    const std::uint64_t bits = random();
    for (int shift = 0; shift < 64; shift += 16) sum += static_cast<std::int64_t>(bits >> shift & 0xFFFFU);
  }
  return static_cast<float>(sum) * 0x1p-16F;
}

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
