// Everything one layer needs to bring its accumulators to its output's integers. docs/arithmetic.md
// section 6.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "halftone/numeric/affine.h"
#include "halftone/numeric/requantize.h"
#include "halftone/qgraph/arithmetic_spec.h"

namespace halftone::qgraph {

struct Requantizer {
  numeric::Arithmetic mode = numeric::Arithmetic::fixed;
  numeric::Rounding rounding = numeric::Rounding::half_even;
  numeric::OutputBounds bounds;
  // One entry for all channels, or one each (fixed: m and shift; shift: shift; onnx: real).
  std::vector<std::int64_t> m;
  std::vector<int> shift;
  std::vector<float> real;
};

// For accumulators at scale s_x·s_w[i], output scale s_y. Throws InputError when mode shift meets a scale
// that is no power of two; `where` names the layer.
Requantizer make_requantizer(const ArithmeticSpec& spec, float s_x, std::span<const float> s_w, float s_y,
                             const numeric::OutputBounds& bounds, std::string_view where);

// k with s_x·s_w/s_y = 2^−k.
int shift_of(float s_x, float s_w, float s_y, std::string_view where);

}  // namespace halftone::qgraph
