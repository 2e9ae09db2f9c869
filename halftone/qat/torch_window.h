// ir's sliding windows in the terms of torch, which pads both ends of a dimension alike.
#pragma once

#include <torch/types.h>

#include <vector>

#include "halftone/ir/ops/window.h"

namespace halftone::qat {

using WindowAxes = std::vector<ir::WindowAxis>;

struct TorchWindow {
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> dilations;
  std::vector<std::int64_t> padding;
  bool pad_first = false;  // the ends differ: call pad_explicitly; `padding` is then 0
};

TorchWindow to_torch(const WindowAxes& axes);

// torch's max_pool2d pads by no more.
bool padding_fits_half_kernel(const WindowAxes& axes);

// [N, C, H, W] with both ends padded, the far one by as much as the last window needs.
torch::Tensor pad_explicitly(const torch::Tensor& x, const WindowAxes& axes, double fill);

// How many elements count in the average of each window, at least 1: [out_h, out_w].
torch::Tensor window_counts(const WindowAxes& axes, bool include_pad);

// The dimensions after batch and channels.
Shape spatial_shape(const torch::Tensor& x);

}  // namespace halftone::qat
