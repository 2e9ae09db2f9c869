// The elements one window of a pool reads.
#pragma once

#include <cstdint>
#include <span>

#include "halftone/ir/ops/window.h"

namespace halftone::qgraph {

// Calls each(index into the plane) for the elements of one window inside the input.
template <typename F>
void for_window(const ir::PlaneAxes& axes, std::int64_t oh, std::int64_t ow, F&& each) {
  for (std::int64_t kh = 0; kh < axes[0].kernel; ++kh)
    for (std::int64_t kw = 0; kw < axes[1].kernel; ++kw) {
      const std::int64_t ih = oh * axes[0].stride - axes[0].pad_begin + kh * axes[0].dilation;
      const std::int64_t iw = ow * axes[1].stride - axes[1].pad_begin + kw * axes[1].dilation;
      if (ih >= 0 && ih < axes[0].in && iw >= 0 && iw < axes[1].in) each(ih * axes[1].in + iw);
    }
}

}  // namespace halftone::qgraph
