// Small floating-point formats: encode and decode, exactly.
#pragma once

#include <cstdint>
#include <string_view>

namespace halftone::numeric {

// fp16 and bf16: IEEE 754 binary16, and binary32 cut to 16 bits. fp8: e4m3 and e5m2 of "FP8 Formats for Deep
// Learning" (Micikevicius et al., 2022): e5m2 follows IEEE 754; e4m3 has no infinity, one NaN pattern
// (S.1111.111), and 448 as its largest value.
struct FloatFormat {
  std::string_view name;
  int exponent_bits;
  int mantissa_bits;
  bool has_infinity;

  int bits() const { return 1 + exponent_bits + mantissa_bits; }
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
};

inline constexpr FloatFormat kFp16{"fp16", 5, 10, true};
inline constexpr FloatFormat kBf16{"bf16", 8, 7, true};
inline constexpr FloatFormat kFp8E4m3{"fp8e4m3", 4, 3, false};
inline constexpr FloatFormat kFp8E5m2{"fp8e5m2", 5, 2, true};

// The value's bit pattern, rounded to nearest, ties to even; subnormals kept. Overflow gives infinity where
// the format has it, otherwise NaN; with `saturate`, the largest finite value in both.
std::uint32_t encode(double value, const FloatFormat& format, bool saturate = false);

// The real value of a bit pattern, exactly.
double decode(std::uint32_t bits, const FloatFormat& format);

double largest_finite(const FloatFormat& format);

}  // namespace halftone::numeric
