// Which arithmetic a quantized graph is computed in, and how a file says so.
#pragma once

#include <map>
#include <string_view>
#include <string>

#include "halftone/numeric/requantize.h"

namespace halftone::numeric {

struct ArithmeticSpec {
  numeric::Arithmetic mode = numeric::Arithmetic::fixed;
  int mantissa_bits = 32;  // B of mode fixed: 8, 16 or 32
  numeric::Rounding rounding = numeric::Rounding::half_even;
  bool operator==(const ArithmeticSpec&) const = default;
};

using Metadata = std::map<std::string, std::string>;

inline constexpr std::string_view kRoundingKey = "halftone.rounding";

// Keys halftone.arithmetic, halftone.mantissa_bits, halftone.rounding (absent: half_even) and
// halftone.arithmetic_version of an ONNX file's metadata_props.
void write_arithmetic(const ArithmeticSpec& spec, Metadata& metadata);

// A file that says nothing is read as `onnx`. Throws InputError for a value or version not known.
ArithmeticSpec read_arithmetic(const Metadata& metadata);

// "fixed, 32-bit mantissa", and the rounding where it is not half_even.
std::string describe(const ArithmeticSpec& spec);

}  // namespace halftone::numeric
