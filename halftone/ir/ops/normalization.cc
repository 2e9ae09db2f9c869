#include "halftone/ir/ops/normalization.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"

namespace halftone::ir {
namespace {

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
  double square = 0.0;  // mean of x²
};

Moments moments(std::span<const float> x) {
  Moments result;
  const auto count = static_cast<double>(x.size());
  for (float v : x) result.mean += v / count;
  for (float v : x) {
    result.variance += (v - result.mean) * (v - result.mean) / count;
    result.square += double{v} * v / count;
  }
  return result;
}

void expect_broadcast(const TensorType& type, const Shape& x, std::string_view where) {
  if (broadcast_shape(type.shape, x) != x)
    throw InputError(
        where, fmt::format("factors of shape {} for an input of {}", to_string(type.shape), to_string(x)));
}

// x's shape with 1 from `axis` on.
Shape statistics_shape(Shape x, std::int64_t axis, std::string_view where) {
  std::fill(x.begin() + normalize_axis(axis, x.size(), where), x.end(), 1);
  return x;
}

void expect_last_fixed(const Shape& x, std::int64_t axis, std::string_view where) {
  if (!is_static(Shape(x.begin() + normalize_axis(axis, x.size(), where), x.end())))
    throw UnsupportedError(where, "normalizes over a dimension that is not fixed");
}

// The element of `factor` (broadcast to x) for each element of x; `otherwise` when there is none.
std::vector<double> spread(InputTensors inputs, std::size_t i, const Shape& x, double otherwise) {
  std::vector<double> result(static_cast<std::size_t>(element_count(x)), otherwise);
  if (!has(inputs, i)) return result;
  const auto index = broadcast_index(inputs[i]->shape(), x);
  const auto values = inputs[i]->data<float>();
  for (std::size_t k = 0; k < result.size(); ++k) result[k] = values[static_cast<std::size_t>(index[k])];
  return result;
}

}  // namespace

std::vector<TensorType> infer(const InstanceNormalization&, InputTypes inputs) {
  const Shape& x = inputs[0]->shape;
  if (x.size() < 3)
    throw InputError("InstanceNormalization",
                     fmt::format("input of shape {}, expected batch, channels and space", to_string(x)));
  for (std::size_t i = 1; i < 3; ++i)
    if (inputs[i]->shape != Shape{x[1]})
      throw InputError("InstanceNormalization",
                       fmt::format("factors of shape {} for {} channels", to_string(inputs[i]->shape), x[1]));
  return {{DType::float32, x}};
}

std::vector<TensorType> infer(const LayerNormalization& op, InputTypes inputs) {
  const Shape& x = inputs[0]->shape;
  expect_last_fixed(x, op.axis, "LayerNormalization");
  for (std::size_t i = 1; i < inputs.size(); ++i)
    if (has(inputs, i)) expect_broadcast(*inputs[i], x, "LayerNormalization");
  std::vector<TensorType> types{{DType::float32, x}};
  const Shape statistics = statistics_shape(x, op.axis, "LayerNormalization");
  for (int i = 1; i < op.outputs; ++i) types.push_back({DType::float32, statistics});
  return types;
}

std::vector<TensorType> infer(const RMSNormalization& op, InputTypes inputs) {
  expect_last_fixed(inputs[0]->shape, op.axis, "RMSNormalization");
  expect_broadcast(*inputs[1], inputs[0]->shape, "RMSNormalization");
  return {{DType::float32, inputs[0]->shape}};
}

std::vector<TensorType> infer(const LRN& op, InputTypes inputs) {
  const Shape& x = inputs[0]->shape;
  if (x.size() < 2)
    throw InputError("LRN", fmt::format("input of shape {}, expected channels", to_string(x)));
  if (op.size < 1 || op.size > (1 << 20))
    throw InputError("LRN", fmt::format("size {}, expected 1 to 2^20", op.size));
  return {{DType::float32, x}};
}

std::vector<Tensor> evaluate(const InstanceNormalization& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  Tensor y(DType::float32, x.shape());
  const auto area = static_cast<std::size_t>(product(x.shape(), 2, x.rank()));
  const auto channels = static_cast<std::size_t>(x.dim(1));
  const auto in = x.data<float>();
  auto out = y.mutable_data<float>();
  for (std::size_t start = 0, plane = 0; start < in.size(); start += area, ++plane) {
    const Moments m = moments(in.subspan(start, area));
    const double factor = inputs[1]->data<float>()[plane % channels] / std::sqrt(m.variance + op.epsilon);
    const double bias = inputs[2]->data<float>()[plane % channels];
    for (std::size_t i = start; i < start + area; ++i)
      out[i] = static_cast<float>((in[i] - m.mean) * factor + bias);
  }
  return {y};
}

std::vector<Tensor> evaluate(const LayerNormalization& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  Tensor y(DType::float32, x.shape());
  const Shape shape = statistics_shape(x.shape(), op.axis, "LayerNormalization");
  Tensor means(DType::float32, shape);
  Tensor inverses(DType::float32, shape);
  const std::vector<double> scale = spread(inputs, 1, x.shape(), 1.0);
  const std::vector<double> bias = spread(inputs, 2, x.shape(), 0.0);
  const auto in = x.data<float>();
  auto out = y.mutable_data<float>();
  const std::size_t rows = means.data<float>().size();
  const std::size_t count = rows == 0 ? 0 : in.size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    const Moments m = moments(in.subspan(row * count, count));
    const double inverse = 1.0 / std::sqrt(m.variance + op.epsilon);
    means.mutable_data<float>()[row] = static_cast<float>(m.mean);
    inverses.mutable_data<float>()[row] = static_cast<float>(inverse);
    for (std::size_t i = row * count; i < (row + 1) * count; ++i)
      out[i] = static_cast<float>((in[i] - m.mean) * inverse * scale[i] + bias[i]);
  }
  std::vector<Tensor> results{y, means, inverses};
  results.resize(static_cast<std::size_t>(op.outputs));
  return results;
}

std::vector<Tensor> evaluate(const RMSNormalization& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  Tensor y(DType::float32, x.shape());
  const std::vector<double> scale = spread(inputs, 1, x.shape(), 1.0);
  const auto axis = static_cast<std::size_t>(normalize_axis(op.axis, x.rank(), "RMSNormalization"));
  const auto count = static_cast<std::size_t>(product(x.shape(), axis, x.rank()));
  const auto in = x.data<float>();
  auto out = y.mutable_data<float>();
  for (std::size_t start = 0; start < in.size(); start += count) {
    const double inverse = 1.0 / std::sqrt(moments(in.subspan(start, count)).square + op.epsilon);
    for (std::size_t i = start; i < start + count; ++i)
      out[i] = static_cast<float>(in[i] * inverse * scale[i]);
  }
  return {y};
}

std::vector<Tensor> evaluate(const LRN& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  Tensor y(DType::float32, x.shape());
  const std::int64_t channels = x.dim(1);
  const std::int64_t area = product(x.shape(), 2, x.rank());
  const float* in = x.data<float>().data();
  float* out = y.mutable_data<float>().data();
  for (std::int64_t n = 0; n < x.dim(0); ++n, in += channels * area)
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t first = std::max<std::int64_t>(0, c - (op.size - 1) / 2);
      const std::int64_t last = std::min(channels - 1, c + op.size / 2);
      for (std::int64_t i = 0; i < area; ++i) {
        double sum = 0.0;
        for (std::int64_t k = first; k <= last; ++k) sum += double{in[k * area + i]} * in[k * area + i];
        const double base = op.bias + double{op.alpha} / static_cast<double>(op.size) * sum;
        *out++ = static_cast<float>(in[c * area + i] / std::pow(base, double{op.beta}));
      }
    }
  return {y};
}

}  // namespace halftone::ir
