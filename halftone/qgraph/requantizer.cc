#include "halftone/qgraph/requantizer.h"

#include <fmt/format.h>

#include <cmath>

#include "halftone/base/error.h"

namespace halftone::qgraph {

int shift_of(float s_x, float s_w, float s_y, std::string_view where) {
  for (float s : {s_x, s_w, s_y})
    if (!numeric::is_power_of_two(s))
      throw InputError(where, fmt::format("arithmetic 'shift' with scale {}, expected powers of two", s));
  return numeric::exponent_of(s_y) - numeric::exponent_of(s_x) - numeric::exponent_of(s_w);
}

Requantizer make_requantizer(const ArithmeticSpec& spec, float s_x, std::span<const float> s_w, float s_y,
                             const numeric::OutputBounds& bounds, std::string_view where) {
  Requantizer result{.mode = spec.mode, .rounding = spec.rounding, .bounds = bounds};
  for (float s : s_w) {
    switch (spec.mode) {
      case numeric::Arithmetic::fixed: {
        const auto multiplier =
            numeric::multiplier_from(numeric::real_multiplier(s_x, s, s_y), spec.mantissa_bits);
        result.m.push_back(multiplier.m);
        result.shift.push_back(multiplier.shift());
        break;
      }
      case numeric::Arithmetic::shift:
        result.shift.push_back(shift_of(s_x, s, s_y, where));
        break;
      case numeric::Arithmetic::onnx: {
        const float M = numeric::onnx_multiplier(s_x, s, s_y);
        if (!std::isfinite(M))
          throw InputError(where, fmt::format("scales {}, {} and {} leave float32", s_x, s, s_y));
        result.real.push_back(M);
        break;
      }
    }
  }
  return result;
}

}  // namespace halftone::qgraph
