#include "halftone/ir/ops/window.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 31;

std::int64_t attribute(const std::vector<std::int64_t>& values, std::size_t i, std::int64_t otherwise) {
  return values.empty() ? otherwise : values[i];
}

void check_attribute(const std::vector<std::int64_t>& values, std::size_t rank, std::int64_t least,
                     std::string_view name, std::string_view where) {
  if (!values.empty() && values.size() != rank)
    throw InputError(where, fmt::format("{} has {} values, expected {}", name, values.size(), rank));
  for (std::int64_t v : values)
    if (v < least || v > kLargest)
      throw InputError(where,
                       fmt::format("{} out of range, got {}, expected {} to {}", name, v, least, kLargest));
}

void resolve_auto_pad(WindowAxis& axis, AutoPad mode, std::int64_t extent) {
  if (mode == AutoPad::valid) {
    axis.pad_begin = axis.pad_end = 0;
    return;
  }
  const std::int64_t out = (axis.in + axis.stride - 1) / axis.stride;
  const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * axis.stride + extent - axis.in);
  axis.pad_begin = mode == AutoPad::same_upper ? total / 2 : total - total / 2;
  axis.pad_end = total - axis.pad_begin;
}

}  // namespace

std::vector<WindowAxis> resolve(const Window& window, const Shape& spatial, std::string_view where) {
  const std::size_t rank = spatial.size();
  check_attribute(window.kernel, rank, 1, "kernel_shape", where);
  check_attribute(window.strides, rank, 1, "strides", where);
  check_attribute(window.dilations, rank, 1, "dilations", where);
  check_attribute(window.pads, 2 * rank, 0, "pads", where);
  if (window.kernel.size() != rank)
    throw InputError(
        where, fmt::format("kernel of rank {}, expected {} spatial dimensions", window.kernel.size(), rank));
  std::vector<WindowAxis> axes(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    WindowAxis& axis = axes[i];
    axis.in = spatial[i];
    if (axis.in < 0 || axis.in > kLargest)
      throw UnsupportedError(where, fmt::format("spatial dimension {}, expected a fixed size", axis.in));
    axis.kernel = window.kernel[i];
    axis.stride = attribute(window.strides, i, 1);
    axis.dilation = attribute(window.dilations, i, 1);
    axis.pad_begin = attribute(window.pads, i, 0);
    axis.pad_end = attribute(window.pads, i + rank, 0);
    if (axis.kernel > 1 && axis.dilation > kLargest / axis.kernel)
      throw InputError(where,
                       fmt::format("dilated kernel too large, got {} times {}", axis.kernel, axis.dilation));
    const std::int64_t extent = (axis.kernel - 1) * axis.dilation + 1;
    if (window.auto_pad != AutoPad::not_set) resolve_auto_pad(axis, window.auto_pad, extent);
    const std::int64_t room = axis.in + axis.pad_begin + axis.pad_end - extent;
    if (room < 0)
      throw InputError(where,
                       fmt::format("window of {} does not fit a padded input of {}", extent, room + extent));
    axis.out = room / axis.stride + 1;
    // ceil_mode adds a last window that starts inside the input or its leading pad.
    if (window.ceil_mode && room % axis.stride != 0 && axis.out * axis.stride < axis.in + axis.pad_begin)
      ++axis.out;
  }
  return axes;
}

PlaneAxes as_plane(std::span<const WindowAxis> axes) {
  return axes.size() == 1 ? PlaneAxes{WindowAxis{}, axes[0]} : PlaneAxes{axes[0], axes[1]};
}

PlaneAxes resolve_plane(const Window& window, const Shape& x, std::string_view where) {
  if (x.size() != 3 && x.size() != 4)
    throw UnsupportedError(
        where, fmt::format("input of shape {}, expected one or two spatial dimensions", to_string(x)));
  return as_plane(resolve(window, Shape(x.begin() + 2, x.end()), where));
}

Shape window_output_shape(const Window& window, const Shape& input, std::int64_t channels,
                          std::string_view where) {
  if (input.size() < 3)
    throw InputError(where,
                     fmt::format("input of shape {}, expected batch, channels and space", to_string(input)));
  Shape output{input[0], channels};
  for (const WindowAxis& axis : resolve(window, Shape(input.begin() + 2, input.end()), where))
    output.push_back(axis.out);
  return output;
}

}  // namespace halftone::ir
