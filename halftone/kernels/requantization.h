// The last step of a layer: sums to the integers that are stored. docs/arithmetic.md section 6.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/numeric/requantize.h"

namespace halftone::kernels {

// y = clamp(round_shift(acc·m, shift) + z_y), or, where `M` has entries, clamp(half_even(float(acc)·M) + z_y): an entry a
// channel. Zero point and bounds are those of the stored form.
struct Requantization {
  std::vector<std::int64_t> m;
  std::vector<int> shift;
  std::vector<float> M;
  numeric::Rounding rounding = numeric::Rounding::half_even;
  numeric::OutputBounds bounds;

  bool is_float() const { return !M.empty(); }
  std::int32_t operator()(std::int64_t acc, std::size_t channel) const {
    if (is_float()) return numeric::requantize_onnx(static_cast<std::int32_t>(acc), M[channel], bounds);
    return numeric::requantize_fixed(acc, m[channel], shift[channel], bounds, rounding);
  }
};

// Whether acc·m·2^−shift lies halfway between two integers for no |acc| <= bound, acc an integer: half even, half away and half
// up are then one. Halfway means exactly shift − 1 trailing zeros of acc·m.
bool is_free_of_ties(std::int64_t m, int shift, std::int64_t bound);

}  // namespace halftone::kernels
