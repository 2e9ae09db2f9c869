#include "halftone/ir/ops/conv_transpose.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 31;

void check_list(const std::vector<std::int64_t>& values, std::size_t count, std::string_view name) {
  if (!values.empty() && values.size() != count)
    throw InputError("ConvTranspose",
                     fmt::format("{} has {} values, expected {}", name, values.size(), count));
  for (std::int64_t v : values)
    if (v < 0 || v > kLargest)
      throw InputError("ConvTranspose", fmt::format("{} out of range, got {}", name, v));
}

// Decides pads and the output size of one dimension; `extra` is the output padding.
void resolve_axis(WindowAxis& axis, AutoPad mode, std::int64_t extra, std::int64_t wanted) {
  const std::int64_t full = axis.stride * (axis.in - 1) + extra + (axis.kernel - 1) * axis.dilation + 1;
  if (mode == AutoPad::same_upper || mode == AutoPad::same_lower || wanted > 0) {
    axis.out = wanted > 0 ? wanted : axis.in * axis.stride;
    const std::int64_t total = std::max<std::int64_t>(0, full - axis.out);
    // ONNX: SAME_UPPER puts the odd one at the end, everything else at the beginning.
    axis.pad_begin = mode == AutoPad::same_upper ? total / 2 : total - total / 2;
    axis.pad_end = total - axis.pad_begin;
    return;
  }
  if (mode == AutoPad::valid) axis.pad_begin = axis.pad_end = 0;
  axis.out = full - axis.pad_begin - axis.pad_end;
}

Shape output_shape(const ConvTranspose& op, const Shape& x, const Shape& w) {
  if (op.groups < 1 || x.size() < 3 || w.size() != x.size() || x[1] != w[0] || x[1] % op.groups != 0)
    throw InputError("ConvTranspose", fmt::format("input {}, weights {} and {} groups do not fit",
                                                  to_string(x), to_string(w), op.groups));
  Shape y{x[0], w[1] * op.groups};
  for (const WindowAxis& axis : transpose_axes(op, x, w)) y.push_back(axis.out);
  return y;
}

// One spatial dimension after another: adds value·taps to the outputs that one input element reaches.
struct Scatter {
  const std::vector<WindowAxis>& axes;
  const float* taps = nullptr;
  double* plane = nullptr;
  double value = 0.0;

  void add(std::size_t d, std::span<const std::int64_t> at, std::int64_t tap, std::int64_t place) const {
    if (d == axes.size()) {
      plane[place] += value * taps[tap];
      return;
    }
    const WindowAxis& axis = axes[d];
    for (std::int64_t t = 0; t < axis.kernel; ++t) {
      const std::int64_t o = at[d] * axis.stride + t * axis.dilation - axis.pad_begin;
      if (o >= 0 && o < axis.out) add(d + 1, at, tap * axis.kernel + t, place * axis.out + o);
    }
  }
};

}  // namespace

std::vector<WindowAxis> transpose_axes(const ConvTranspose& op, const Shape& x, const Shape& w) {
  const std::size_t rank = x.size() - 2;
  const Window& window = op.window;
  check_list(window.strides, rank, "strides");
  check_list(window.dilations, rank, "dilations");
  check_list(window.pads, 2 * rank, "pads");
  check_list(op.output_padding, rank, "output_padding");
  check_list(op.output_shape, rank, "output_shape");
  if (!window.kernel.empty() && window.kernel != std::vector<std::int64_t>(w.begin() + 2, w.end()))
    throw InputError("ConvTranspose", fmt::format("kernel_shape {} differs from the weights' {}",
                                                  to_string(window.kernel), to_string(w)));
  std::vector<WindowAxis> axes(rank);
  const auto at = [](const std::vector<std::int64_t>& values, std::size_t i, std::int64_t otherwise) {
    return values.empty() ? otherwise : values[i];
  };
  for (std::size_t i = 0; i < rank; ++i) {
    axes[i] = {.in = x[i + 2],
               .kernel = w[i + 2],
               .stride = at(window.strides, i, 1),
               .dilation = at(window.dilations, i, 1),
               .pad_begin = at(window.pads, i, 0),
               .pad_end = at(window.pads, i + rank, 0)};
    if (axes[i].in < 1 || axes[i].in > kLargest || axes[i].kernel < 1 || axes[i].stride < 1 ||
        axes[i].dilation < 1 || axes[i].kernel > kLargest / axes[i].dilation)
      throw InputError("ConvTranspose",
                       fmt::format("dimension {} of kernel {}, stride {}, dilation {}", axes[i].in,
                                   axes[i].kernel, axes[i].stride, axes[i].dilation));
    resolve_axis(axes[i], window.auto_pad, at(op.output_padding, i, 0), at(op.output_shape, i, 0));
    if (axes[i].out < 1) throw InputError("ConvTranspose", fmt::format("an output of size {}", axes[i].out));
  }
  return axes;
}

std::vector<TensorType> infer(const ConvTranspose& op, InputTypes inputs) {
  const Shape y = output_shape(op, inputs[0]->shape, inputs[1]->shape);
  if (has(inputs, 2) && inputs[2]->shape != Shape{y[1]})
    throw InputError("ConvTranspose",
                     fmt::format("bias of shape {} for {} channels", to_string(inputs[2]->shape), y[1]));
  return {{DType::float32, y}};
}

std::vector<Tensor> evaluate(const ConvTranspose& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const Tensor& w = *inputs[1];
  Tensor y(DType::float32, output_shape(op, x.shape(), w.shape()));
  const std::vector<WindowAxis> axes = transpose_axes(op, x.shape(), w.shape());
  const std::int64_t per_group_in = x.dim(1) / op.groups;
  const std::int64_t area_in = product(x.shape(), 2, x.rank());
  const std::int64_t area_out = product(y.shape(), 2, y.rank());
  const std::int64_t taps = product(w.shape(), 2, w.rank());
  const float* in = x.data<float>().data();
  auto out = y.mutable_data<float>();
  std::vector<double> plane(static_cast<std::size_t>(area_out));
  for (std::int64_t p = 0; p < y.dim(0) * y.dim(1); ++p) {
    const std::int64_t m = p % y.dim(1);
    const std::int64_t group = m / w.dim(1);
    std::fill(plane.begin(), plane.end(),
              has(inputs, 2) ? inputs[2]->data<float>()[static_cast<std::size_t>(m)] : 0.0);
    for (std::int64_t c = group * per_group_in; c < (group + 1) * per_group_in; ++c) {
      Scatter scatter{axes, w.data<float>().data() + (c * w.dim(1) + m % w.dim(1)) * taps, plane.data()};
      const float* from = in + (p / y.dim(1) * x.dim(1) + c) * area_in;
      std::vector<std::int64_t> at(axes.size(), 0);
      for (std::int64_t i = 0; i < area_in; ++i) {
        scatter.value = from[i];
        scatter.add(0, at, 0, 0);
        for (std::size_t d = at.size(); d-- > 0;) {
          if (++at[d] < axes[d].in) break;
          at[d] = 0;
        }
      }
    }
    std::ranges::transform(plane, out.begin() + p * area_out, [](double v) { return static_cast<float>(v); });
  }
  return {y};
}

}  // namespace halftone::ir
