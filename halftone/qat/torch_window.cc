#include "halftone/qat/torch_window.h"

#include <algorithm>

#include "halftone/ir/ops/pool.h"

namespace halftone::qat {
namespace {

// With ceil_mode the last window may reach past the padding asked for.
std::int64_t far_padding(const ir::WindowAxis& axis) {
  const std::int64_t extent = (axis.kernel - 1) * axis.dilation + 1;
  return std::max(axis.pad_end, (axis.out - 1) * axis.stride + extent - axis.in - axis.pad_begin);
}

}  // namespace

TorchWindow to_torch(const WindowAxes& axes) {
  TorchWindow window;
  for (const ir::WindowAxis& axis : axes) {
    window.kernel.push_back(axis.kernel);
    window.strides.push_back(axis.stride);
    window.dilations.push_back(axis.dilation);
    window.padding.push_back(axis.pad_begin);
    window.pad_first |= axis.pad_begin != far_padding(axis);
  }
  if (window.pad_first) std::ranges::fill(window.padding, 0);
  return window;
}

bool padding_fits_half_kernel(const WindowAxes& axes) {
  return std::ranges::all_of(axes,
                             [](const ir::WindowAxis& axis) { return axis.pad_begin <= axis.kernel / 2; });
}

torch::Tensor pad_explicitly(const torch::Tensor& x, const WindowAxes& axes, double fill) {
  std::vector<std::int64_t> pads;  // torch lists the last dimension first
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis)
    pads.insert(pads.end(), {axis->pad_begin, far_padding(*axis)});
  const bool nothing = std::ranges::all_of(pads, [](std::int64_t pad) { return pad == 0; });
  return nothing ? x : at::constant_pad_nd(x, pads, fill);
}

torch::Tensor window_counts(const WindowAxes& axes, bool include_pad) {
  const auto along = [&](const ir::WindowAxis& axis) {
    torch::Tensor counts = at::empty({axis.out});
    for (std::int64_t o = 0; o < axis.out; ++o)
      counts[o] = static_cast<float>(ir::window_count(axis, o, include_pad));
    return counts;
  };
  return at::outer(along(axes.at(0)), along(axes.at(1))).clamp_min(1.0);
}

Shape spatial_shape(const torch::Tensor& x) { return x.sizes().slice(2).vec(); }

}  // namespace halftone::qat
