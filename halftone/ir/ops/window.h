// The sliding windows of convolution and pooling.
// Source: ONNX operators Conv, MaxPool, AveragePool (attributes kernel_shape, strides, pads, dilations,
// auto_pad, ceil_mode).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "halftone/base/shape.h"

namespace halftone::ir {

enum class AutoPad { not_set, same_upper, same_lower, valid };

struct Window {
  std::vector<std::int64_t> kernel;     // one per spatial dimension
  std::vector<std::int64_t> strides;    // empty: all 1
  std::vector<std::int64_t> pads;       // begins, then ends; empty: all 0
  std::vector<std::int64_t> dilations;  // empty: all 1
  AutoPad auto_pad = AutoPad::not_set;
  bool ceil_mode = false;
  bool operator==(const Window&) const = default;
};

// One spatial dimension with everything decided: output o reads inputs o·stride − pad_begin + t·dilation,
// t in [0, kernel), those outside [0, in) being padding.
struct WindowAxis {
  std::int64_t in = 1;
  std::int64_t out = 1;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_begin = 0;
  std::int64_t pad_end = 0;
  bool operator==(const WindowAxis&) const = default;
};

// `spatial` are the input's spatial dimensions. Throws InputError when attribute lengths do not match, a
// value is out of range, or the window does not fit the padded input.
std::vector<WindowAxis> resolve(const Window& window, const Shape& spatial, std::string_view where);

using PlaneAxes = std::array<WindowAxis, 2>;

// One or two dimensions as two: one of size 1 stands before a single one.
PlaneAxes as_plane(std::span<const WindowAxis> axes);

// `resolve` for the one or two spatial dimensions of x [N, C, spatial...]. Throws UnsupportedError for other numbers.
PlaneAxes resolve_plane(const Window& window, const Shape& x, std::string_view where);

// Input [N, C, spatial...] to output [N, channels, out...].
Shape window_output_shape(const Window& window, const Shape& input, std::int64_t channels,
                          std::string_view where);

}  // namespace halftone::ir
