#include "halftone/ir/ops/conv.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

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

Shape conv_shape(const Conv& op, const Shape& x, const Shape& w) {
  if ((x.size() != 3 && x.size() != 4) || w.size() != x.size())
    throw UnsupportedError(
        "Conv", fmt::format("input {} and weights {}, expected one or two spatial dimensions", to_string(x),
                            to_string(w)));
  if (op.groups < 1 || x[1] % op.groups != 0 || x[1] / op.groups != w[1] || w[0] % op.groups != 0)
    throw InputError("Conv", fmt::format("{} groups do not fit input {} and weights {}", op.groups,
                                         to_string(x), to_string(w)));
  return window_output_shape(kernel_window(op, w), x, w[0], "Conv");
}

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
  return {{DType::float32, conv_shape(op, inputs[0]->shape, w)}};
}

std::vector<double> convolve(const Conv& op, const Tensor& x, const Tensor& w) {
  const Shape y = conv_shape(op, x.shape(), w.shape());
  const auto axes = resolve_plane(kernel_window(op, w.shape()), x.shape(), "Conv");
  const WindowAxis& rows = axes[0];
  const WindowAxis& columns = axes[1];
  const std::int64_t depth = w.dim(1);
  const float* in = x.data<float>().data();
  const float* weights = w.data<float>().data();
  std::vector<double> sums(static_cast<std::size_t>(element_count(y)), 0.0);
  std::span<double> rest = sums;
  for (std::int64_t n = 0; n < y[0]; ++n)
    for (std::int64_t m = 0; m < y[1]; ++m)
      for (std::int64_t oh = 0; oh < rows.out; ++oh) {
        const auto row_sums = rest.first(static_cast<std::size_t>(columns.out));
        rest = rest.subspan(row_sums.size());
        for (std::int64_t c = 0; c < depth; ++c)
          for (std::int64_t kh = 0; kh < rows.kernel; ++kh) {
            const std::int64_t ih = oh * rows.stride - rows.pad_begin + kh * rows.dilation;
            if (ih < 0 || ih >= rows.in) continue;
            const std::int64_t channel = m / (w.dim(0) / op.groups) * depth + c;
            const float* row = in + ((n * x.dim(1) + channel) * rows.in + ih) * columns.in;
            for (std::int64_t kw = 0; kw < columns.kernel; ++kw)
              add_tap(row_sums, row, weights[((m * depth + c) * rows.kernel + kh) * columns.kernel + kw],
                      columns, kw);
          }
      }
  return sums;
}

std::vector<Tensor> evaluate(const Conv& op, InputTensors inputs) {
  const std::vector<double> sums = convolve(op, *inputs[0], *inputs[1]);
  Tensor y(DType::float32, conv_shape(op, inputs[0]->shape(), inputs[1]->shape()));
  const auto area = static_cast<std::size_t>(product(y.shape(), 2, y.rank()));
  const auto channels = static_cast<std::size_t>(y.dim(1));
  auto out = y.mutable_data<float>();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double bias = has(inputs, 2) ? inputs[2]->data<float>()[i / area % channels] : 0.0;
    out[i] = static_cast<float>(sums[i] + bias);
  }
  return {y};
}

}  // namespace halftone::ir
