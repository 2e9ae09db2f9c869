#include "halftone/ir/ops/batch_normalization.h"

#include <fmt/format.h>

#include <cmath>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

struct Statistics {
  double mean = 0.0;
  double variance = 0.0;
};

Statistics statistics_of(const Tensor& x, std::int64_t channel) {
  const std::int64_t inner = product(x.shape(), 2, x.rank());
  const auto count = static_cast<double>(x.dim(0) * inner);
  Statistics result;
  const auto for_channel = [&](auto&& each) {
    for (std::int64_t n = 0; n < x.dim(0); ++n)
      for (std::int64_t i = 0; i < inner; ++i)
        each(double{x.data<float>()[static_cast<std::size_t>((n * x.dim(1) + channel) * inner + i)]});
  };
  for_channel([&](double v) { result.mean += v / count; });
  for_channel([&](double v) { result.variance += (v - result.mean) * (v - result.mean) / count; });
  return result;
}

// `stored` moved towards the statistics of x.
Tensor moved(const BatchNormalization& op, const Tensor& stored, std::span<const Statistics> now,
             double Statistics::*field) {
  Tensor result(DType::float32, stored.shape());
  for (std::size_t c = 0; c < now.size(); ++c)
    result.mutable_data<float>()[c] = static_cast<float>(double{stored.data<float>()[c]} * op.momentum +
                                                         now[c].*field * (1.0 - op.momentum));
  return result;
}

}  // namespace

std::vector<TensorType> infer(const BatchNormalization& op, InputTypes inputs) {
  const Shape& x = inputs[0]->shape;
  if (x.size() < 2)
    throw InputError("BatchNormalization", fmt::format("input of shape {}, expected channels", to_string(x)));
  for (std::size_t i = 1; i < 5; ++i)
    if (inputs[i]->shape != Shape{x[1]})
      throw InputError("BatchNormalization", fmt::format("statistics of shape {} for {} channels",
                                                         to_string(inputs[i]->shape), x[1]));
  if (!op.training) return {{DType::float32, x}};
  return {{DType::float32, x}, {DType::float32, {x[1]}}, {DType::float32, {x[1]}}};
}

std::vector<Tensor> evaluate(const BatchNormalization& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  Tensor y(DType::float32, x.shape());
  const auto channels = static_cast<std::size_t>(x.dim(1));
  std::vector<Statistics> used(channels);
  for (std::size_t c = 0; c < channels; ++c)
    used[c] = op.training ? statistics_of(x, static_cast<std::int64_t>(c))
                          : Statistics{inputs[3]->data<float>()[c], inputs[4]->data<float>()[c]};
  const std::int64_t inner = product(x.shape(), 2, x.rank());
  const float* in = x.data<float>().data();
  float* out = y.mutable_data<float>().data();
  for (std::int64_t n = 0; n < x.dim(0); ++n)
    for (std::size_t c = 0; c < channels; ++c) {
      const double factor = inputs[1]->data<float>()[c] / std::sqrt(used[c].variance + op.epsilon);
      const double bias = inputs[2]->data<float>()[c];
      for (std::int64_t i = 0; i < inner; ++i)
        *out++ = static_cast<float>((*in++ - used[c].mean) * factor + bias);
    }
  if (!op.training) return {y};
  return {y, moved(op, *inputs[3], used, &Statistics::mean),
          moved(op, *inputs[4], used, &Statistics::variance)};
}

}  // namespace halftone::ir
