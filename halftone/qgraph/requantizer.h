// Everything one layer needs to bring its accumulators to its output's integers. docs/arithmetic.md
// section 6.
#pragma once

#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "halftone/numeric/affine.h"
#include "halftone/numeric/requantize.h"
#include "halftone/numeric/arithmetic_spec.h"

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

// Bits of a multiplier's mantissa: at most 16 where the accumulator may be beyond int32.
int mantissa_bits(const numeric::ArithmeticSpec& spec, bool wide_accumulator);

// The relative error that the mantissa leaves: 2^(1−bits), and none without one.
double mantissa_error(const Requantizer& requantizer);

// For accumulators at scale s_x·s_w[i], output scale s_y. Throws InputError when mode shift meets a scale
// that is no power of two; `where` names the layer.
Requantizer make_requantizer(const numeric::ArithmeticSpec& spec, float s_x, std::span<const float> s_w, float s_y,
                             const numeric::OutputBounds& bounds, bool wide_accumulator, std::string_view where);

// k with s_x·s_w/s_y = 2^−k.
int shift_of(float s_x, float s_w, float s_y, std::string_view where);

}  // namespace halftone::qgraph
