// From scales to multipliers and shifts. docs/arithmetic.md section 6.
#pragma once

#include <span>
#include <string_view>

#include "halftone/numeric/arithmetic_spec.h"
#include "halftone/qgraph/requantizer.h"

namespace halftone::lower {

// Bits of a multiplier's mantissa: at most 16 where the accumulator may be beyond int32.
int mantissa_bits(const numeric::ArithmeticSpec& spec, bool wide_accumulator);

// For accumulators at scale s_x·s_w[i], output scale s_y. Throws InputError when mode shift meets a scale
// that is no power of two; `where` names the layer.
qgraph::Requantizer make_requantizer(const numeric::ArithmeticSpec& spec, float s_x, std::span<const float> s_w, float s_y,
                             const numeric::OutputBounds& bounds, bool wide_accumulator, std::string_view where);

// k with s_x·s_w/s_y = 2^−k.
int shift_of(float s_x, float s_w, float s_y, std::string_view where);

}  // namespace halftone::lower
