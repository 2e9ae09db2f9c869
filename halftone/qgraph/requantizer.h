// Everything one layer needs to bring its accumulators to its output's integers. docs/arithmetic.md
// section 6.
#pragma once

#include <cmath>
#include <variant>
#include <vector>

#include "halftone/numeric/requantize.h"
#include "halftone/numeric/rounding.h"

namespace halftone::qgraph {

// Each holds one entry for all channels of an accumulator, or one a channel.

// y = round_shift(acc·m, shift).
struct MultiplyShift {
  std::vector<std::int64_t> m;  // below 2^(mantissa_bits − 1)
  std::vector<int> shift;
  int mantissa_bits = 32;  // that m really has: 16 where the accumulator is wide
};

// y = round_shift(acc, shift).
struct Shift {
  std::vector<int> shift;
};

// y = round(acc·M) in float32: mode onnx.
struct Float32 {
  std::vector<float> M;
};

struct Requantizer {
  std::variant<MultiplyShift, Shift, Float32> scaling;
  numeric::Rounding rounding = numeric::Rounding::half_even;
  numeric::OutputBounds bounds;  // y + zero point stays within them

  bool is_float() const { return std::holds_alternative<Float32>(scaling); }
};

// The relative error that the mantissa leaves: 2^(1−bits), and none without one.
inline double mantissa_error(const Requantizer& requantizer) {
  const auto* multiplier = std::get_if<MultiplyShift>(&requantizer.scaling);
  return multiplier == nullptr ? 0.0 : std::ldexp(1.0, 1 - multiplier->mantissa_bits);
}

}  // namespace halftone::qgraph
