#include "halftone/ir/ops/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

constexpr std::int64_t kMostBegins = 1 << 20;

// A window that sees padding alone has no largest element and no mean.
void expect_pads_below_kernel(const Window& window, const Shape& x, std::string_view where) {
  for (const WindowAxis& axis : resolve_plane(window, x, where)) {
    const std::int64_t extent = (axis.kernel - 1) * axis.dilation + 1;
    bool empty = axis.pad_begin >= extent || axis.pad_end >= extent;
    // A window that begins in the padding can miss the input between its taps only when they lie wider apart
    // than the input is long; how it begins repeats after as many windows as taps lie apart.
    if (!empty && axis.dilation > axis.in) {
      const std::int64_t begins = std::min({axis.out, axis.dilation, axis.pad_begin / axis.stride + 1});
      if (begins > kMostBegins)
        throw UnsupportedError(where, fmt::format("dilation {} of an input of {}", axis.dilation, axis.in));
      for (std::int64_t o = 0; !empty && o < begins; ++o) empty = window_count(axis, o, false) == 0;
    }
    if (empty)
      throw InputError(where, fmt::format("pads {} and {} of a window of {} make it see padding alone",
                                          axis.pad_begin, axis.pad_end, extent));
  }
}

// Calls visit(plane number, oh, ow) for every output of `planes` planes, in order.
template <typename F>
void for_outputs(std::int64_t planes, const PlaneAxes& axes, F&& visit) {
  for (std::int64_t p = 0; p < planes; ++p)
    for (std::int64_t oh = 0; oh < axes[0].out; ++oh)
      for (std::int64_t ow = 0; ow < axes[1].out; ++ow) visit(p, oh, ow);
}

// Calls each(place in the plane) for the elements of one window inside the input.
template <typename F>
void for_window(const PlaneAxes& axes, std::int64_t oh, std::int64_t ow, F&& each) {
  for (std::int64_t kh = 0; kh < axes[0].kernel; ++kh) {
    const std::int64_t ih = oh * axes[0].stride - axes[0].pad_begin + kh * axes[0].dilation;
    if (ih < 0 || ih >= axes[0].in) continue;
    for (std::int64_t kw = 0; kw < axes[1].kernel; ++kw) {
      const std::int64_t iw = ow * axes[1].stride - axes[1].pad_begin + kw * axes[1].dilation;
      if (iw >= 0 && iw < axes[1].in) each(ih * axes[1].in + iw);
    }
  }
}

// The place of each window's largest element in its plane; NaN is the largest of all.
template <typename T>
std::vector<std::int64_t> largest_places(const Tensor& x, const PlaneAxes& axes,
                                         std::size_t count) {
  const std::int64_t area = axes[0].in * axes[1].in;
  const auto in = x.data<T>();
  std::vector<std::int64_t> places;
  places.reserve(count);
  for_outputs(x.dim(0) * x.dim(1), axes, [&](std::int64_t plane, std::int64_t oh, std::int64_t ow) {
    const T* at = in.data() + plane * area;
    std::int64_t best = -1;
    for_window(axes, oh, ow, [&](std::int64_t i) {
      const auto value = static_cast<Compute<T>>(at[i]);
      if (best < 0 || value > static_cast<Compute<T>>(at[best]) || value != value) best = i;
    });
    places.push_back(plane * area + best);
  });
  return places;
}

// The shape of a value reduced over space to one element a channel.
Shape global_shape(Shape x, std::string_view where) {
  if (x.size() < 3)
    throw InputError(where,
                     fmt::format("input of shape {}, expected batch, channels and space", to_string(x)));
  std::fill(x.begin() + 2, x.end(), 1);
  return x;
}

}  // namespace

std::int64_t window_count(const WindowAxis& axis, std::int64_t o, bool include_pad) {
  const std::int64_t first = o * axis.stride - axis.pad_begin;
  const std::int64_t lo = include_pad ? -axis.pad_begin : 0;
  const std::int64_t hi = axis.in + (include_pad ? axis.pad_end : 0);
  // Taps t with lo <= first + t·dilation < hi.
  const std::int64_t begin = first >= lo ? 0 : (lo - first + axis.dilation - 1) / axis.dilation;
  const std::int64_t end = first >= hi ? 0 : (hi - first + axis.dilation - 1) / axis.dilation;
  return std::max<std::int64_t>(0, std::min(end, axis.kernel) - begin);
}

std::vector<TensorType> infer(const MaxPool& op, InputTypes inputs) {
  const DType dtype = inputs[0]->dtype;
  if (!is_float(dtype) && dtype != DType::int8 && dtype != DType::uint8)
    throw UnsupportedError("MaxPool",
                           fmt::format("input is {}, expected floats, int8 or uint8", name_of(dtype)));
  expect_pads_below_kernel(op.window, inputs[0]->shape, "MaxPool");
  const Shape y = window_output_shape(op.window, inputs[0]->shape, inputs[0]->shape[1], "MaxPool");
  if (!op.with_indices) return {{dtype, y}};
  return {{dtype, y}, {DType::int64, y}};
}

std::vector<TensorType> infer(const AveragePool& op, InputTypes inputs) {
  expect_pads_below_kernel(op.window, inputs[0]->shape, "AveragePool");
  return {{inputs[0]->dtype,
           window_output_shape(op.window, inputs[0]->shape, inputs[0]->shape[1], "AveragePool")}};
}

std::vector<TensorType> infer(const GlobalAveragePool&, InputTypes inputs) {
  return {{inputs[0]->dtype, global_shape(inputs[0]->shape, "GlobalAveragePool")}};
}

std::vector<TensorType> infer(const GlobalMaxPool&, InputTypes inputs) {
  return {{inputs[0]->dtype, global_shape(inputs[0]->shape, "GlobalMaxPool")}};
}

std::vector<Tensor> evaluate(const MaxPool& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const auto axes = resolve_plane(op.window, x.shape(), "MaxPool");
  Tensor y(x.dtype(), window_output_shape(op.window, x.shape(), x.dim(1), "MaxPool"));
  std::vector<std::int64_t> places;
  dispatch_dtype(x.dtype(), [&](auto tag) {
    using T = decltype(tag);
    places = largest_places<T>(x, axes, static_cast<std::size_t>(y.size()));
    std::ranges::transform(places, y.mutable_data<T>().begin(),
                           [&](std::int64_t i) { return x.data<T>()[static_cast<std::size_t>(i)]; });
  });
  if (!op.with_indices) return {y};
  const std::int64_t rows = axes[0].in;
  const std::int64_t columns = axes[1].in;
  if (op.column_major)
    for (std::int64_t& place : places) {
      const std::int64_t in_plane = place % (rows * columns);
      place += in_plane % columns * rows + in_plane / columns - in_plane;
    }
  return {y, Tensor::from<std::int64_t>(y.shape(), places)};
}

std::vector<Tensor> evaluate(const AveragePool& op, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  const auto axes = resolve_plane(op.window, x.shape(), "AveragePool");
  Tensor y(DType::float32, window_output_shape(op.window, x.shape(), x.dim(1), "AveragePool"));
  const float* in = x.data<float>().data();
  float* out = y.mutable_data<float>().data();
  for_outputs(x.dim(0) * x.dim(1), axes, [&](std::int64_t plane, std::int64_t oh, std::int64_t ow) {
    const float* at = in + plane * axes[0].in * axes[1].in;
    double sum = 0.0;
    for_window(axes, oh, ow, [&](std::int64_t i) { sum += at[i]; });
    const std::int64_t count =
        window_count(axes[0], oh, op.count_include_pad) * window_count(axes[1], ow, op.count_include_pad);
    *out++ = static_cast<float>(sum / static_cast<double>(std::max<std::int64_t>(count, 1)));
  });
  return {y};
}

std::vector<Tensor> evaluate(const GlobalAveragePool&, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  Shape shape = x.shape();
  std::fill(shape.begin() + 2, shape.end(), 1);
  Tensor y(DType::float32, shape);
  const std::int64_t area = product(x.shape(), 2, x.rank());
  const float* in = x.data<float>().data();
  for (float& out : y.mutable_data<float>()) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < area; ++i) sum += *in++;
    out = static_cast<float>(sum / static_cast<double>(area));
  }
  return {y};
}

std::vector<Tensor> evaluate(const GlobalMaxPool&, InputTensors inputs) {
  const Tensor& x = *inputs[0];
  Tensor y(DType::float32, global_shape(x.shape(), "GlobalMaxPool"));
  const std::int64_t area = product(x.shape(), 2, x.rank());
  const float* in = x.data<float>().data();
  for (float& out : y.mutable_data<float>()) {
    out = -INFINITY;
    for (std::int64_t i = 0; i < area; ++i, ++in) out = *in > out || std::isnan(*in) ? *in : out;
  }
  return {y};
}

}  // namespace halftone::ir
