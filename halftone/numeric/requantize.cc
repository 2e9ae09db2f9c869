#include "halftone/numeric/requantize.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::numeric {

std::string_view name_of(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::fixed:
      return "fixed";
    case Arithmetic::shift:
      return "shift";
    case Arithmetic::onnx:
      return "onnx";
  }
  return "?";
}

Arithmetic arithmetic_from(std::string_view name) {
  for (Arithmetic a : {Arithmetic::fixed, Arithmetic::shift, Arithmetic::onnx})
    if (name == name_of(a)) return a;
  throw UsageError("arithmetic", fmt::format("unknown mode, got '{}', expected fixed, shift or onnx", name));
}

std::int32_t requantize_onnx(std::int32_t acc, float M, const OutputBounds& y) {
  const float scaled = static_cast<float>(acc) * M;
  const double q = round_real(scaled, Rounding::half_even) + y.zero_point;
  return static_cast<std::int32_t>(std::clamp<double>(q, y.lo, y.hi));
}

}  // namespace halftone::numeric
