#include "halftone/lower/make_requantizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/numeric/affine.h"

namespace halftone::lower {

int shift_of(float s_x, float s_w, float s_y, std::string_view where) {
  for (float s : {s_x, s_w, s_y})
    if (!numeric::is_power_of_two(s))
      throw InputError(where, fmt::format("arithmetic 'shift' with scale {}, expected powers of two", s));
  return numeric::exponent_of(s_y) - numeric::exponent_of(s_x) - numeric::exponent_of(s_w);
}

int mantissa_bits(const numeric::ArithmeticSpec& spec, bool wide_accumulator) {
  return wide_accumulator ? std::min(spec.mantissa_bits, 16) : spec.mantissa_bits;
}

qgraph::Requantizer make_requantizer(const numeric::ArithmeticSpec& spec, float s_x, std::span<const float> s_w, float s_y,
                             const numeric::OutputBounds& bounds, bool wide_accumulator, std::string_view where) {
  qgraph::Requantizer result{.rounding = spec.rounding, .bounds = bounds};
  if (spec.mode == numeric::Arithmetic::fixed) {
    qgraph::MultiplyShift scaling{.mantissa_bits = mantissa_bits(spec, wide_accumulator)};
    for (float s : s_w) {
      const auto multiplier = numeric::multiplier_from(numeric::real_multiplier(s_x, s, s_y), scaling.mantissa_bits);
      scaling.m.push_back(multiplier.m);
      scaling.shift.push_back(multiplier.shift());
    }
    result.scaling = std::move(scaling);
  } else if (spec.mode == numeric::Arithmetic::shift) {
    qgraph::Shift scaling;
    for (float s : s_w) scaling.shift.push_back(shift_of(s_x, s, s_y, where));
    result.scaling = std::move(scaling);
  } else {
    qgraph::Float32 scaling;
    for (float s : s_w) {
      scaling.M.push_back(numeric::onnx_multiplier(s_x, s, s_y));
      if (!std::isfinite(scaling.M.back()))
        throw InputError(where, fmt::format("scales {}, {} and {} leave float32", s_x, s, s_y));
    }
    result.scaling = std::move(scaling);
  }
  return result;
}

}  // namespace halftone::lower
