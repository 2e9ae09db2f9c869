#include "halftone/ir/ops/conv.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

Shape output_shape(const Conv& op, const Shape& x, const Shape& w) {
  if (x.size() != 4 || w.size() != 4)
    throw UnsupportedError("Conv", fmt::format("input {} and weights {}, expected two spatial dimensions",
                                               to_string(x), to_string(w)));
  if (op.groups < 1 || x[1] % op.groups != 0 || x[1] / op.groups != w[1] || w[0] % op.groups != 0)
    throw InputError("Conv", fmt::format("{} groups do not fit input {} and weights {}", op.groups,
                                         to_string(x), to_string(w)));
  return window_output_shape(kernel_window(op, w), x, w[0], "Conv");
}

// Adds one kernel tap's products to a row of outputs.
void add_tap(std::span<double> sums, const float* row, double weight, const WindowAxis& axis,
             std::int64_t tap) {
  const std::int64_t offset = tap * axis.dilation - axis.pad_begin;
  for (std::int64_t o = 0; o < axis.out; ++o) {
    const std::int64_t i = o * axis.stride + offset;
    if (i >= 0 && i < axis.in) sums[static_cast<std::size_t>(o)] += weight * row[i];
  }
}

}  // namespace

Window kernel_window(const Conv& op, const Shape& weights) {
  Window window = op.window;
  const std::vector<std::int64_t> kernel(weights.begin() + 2, weights.end());
  if (!window.kernel.empty() && window.kernel != kernel)
    throw InputError("Conv", fmt::format("kernel_shape {} differs from the weights' {}",
                                         to_string(window.kernel), to_string(kernel)));
  window.kernel = kernel;
  return window;
}

std::vector<TensorType> infer(const Conv& op, InputTypes inputs) {
  const Shape& w = inputs[1]->shape;
  if (has(inputs, 2) && inputs[2]->shape != Shape{w.empty() ? 0 : w[0]})
    throw InputError(
        "Conv", fmt::format("bias of shape {} for weights {}", to_string(inputs[2]->shape), to_string(w)));
  return {{DType::float32, output_shape(op, inputs[0]->shape, w)}};
}

std::vector<Tensor> evaluate(const Conv& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const Tensor& w = *inputs[1];
  Tensor y(DType::float32, output_shape(op, x.shape(), w.shape()));
  const auto axes = resolve(kernel_window(op, w.shape()), {x.dim(2), x.dim(3)}, "Conv");
  const WindowAxis& rows = axes[0];
  const WindowAxis& columns = axes[1];
  const std::int64_t depth = w.dim(1);
  const float* in = x.data<float>().data();
  const float* weights = w.data<float>().data();
  float* out = y.mutable_data<float>().data();
  std::vector<double> sums(static_cast<std::size_t>(columns.out));
  for (std::int64_t n = 0; n < y.dim(0); ++n)
    for (std::int64_t m = 0; m < y.dim(1); ++m)
      for (std::int64_t oh = 0; oh < rows.out; ++oh) {
        std::fill(sums.begin(), sums.end(), 0.0);
        for (std::int64_t c = 0; c < depth; ++c)
          for (std::int64_t kh = 0; kh < rows.kernel; ++kh) {
            const std::int64_t ih = oh * rows.stride - rows.pad_begin + kh * rows.dilation;
            if (ih < 0 || ih >= rows.in) continue;
            const std::int64_t channel = m / (w.dim(0) / op.groups) * depth + c;
            const float* row = in + ((n * x.dim(1) + channel) * rows.in + ih) * columns.in;
            for (std::int64_t kw = 0; kw < columns.kernel; ++kw)
              add_tap(sums, row, weights[((m * depth + c) * rows.kernel + kh) * columns.kernel + kw], columns,
                      kw);
          }
        const double bias = has(inputs, 2) ? inputs[2]->data<float>()[static_cast<std::size_t>(m)] : 0.0;
        for (double sum : sums) *out++ = static_cast<float>(sum + bias);
      }
  return {y};
}

}  // namespace halftone::ir
