// Number formats as they are typed: fixed:8:4, int8:0.05:3, fp16.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "halftone/numeric/affine.h"
#include "halftone/numeric/float_format.h"

namespace halftone::numeric {

// Integers with a scale; `fraction_length` is set for fixed point.
struct IntegerNumbers {
  IntegerFormat format;
  Affine affine;
  bool fixed_point = false;
  int fraction_length = 0;
};

using NumberFormat = std::variant<IntegerNumbers, FloatFormat>;

// fixed:WL:FL, intB[:scale[:zero_point]], uintB[...], fp16, bf16, fp8e4m3, fp8e5m2. Throws UsageError.
NumberFormat parse_number_format(std::string_view text);

// A real value as a format holds it.
struct Rendered {
  double value = 0.0;  // what is really stored
  std::int64_t q = 0;  // the integer, or the float's bit pattern
  std::string binary;
  std::string hex;
  bool saturated = false;
};
Rendered render(double real, const NumberFormat& format);

}  // namespace halftone::numeric
