// Fixed point Q(wl, fl): r = q·2^−fl, q in wl-bit two's complement. docs/arithmetic.md sections 1 and 2.
#pragma once

#include <cstdint>
#include <string_view>

#include "halftone/numeric/format.h"

namespace halftone::numeric {

// The fate of a q that the word cannot hold.
enum class Overflow {
  saturate,  // the nearest that it can
  wrap,      // its low bits: what hardware without saturation keeps. For study
};

std::string_view name_of(Overflow overflow);
// Throws UsageError for an unknown name.
Overflow overflow_from(std::string_view name);

struct FixedPoint {
  int word_length = 8;
  int fraction_length = 0;  // may be negative or exceed the word length

  IntegerFormat format() const { return {word_length, true, false}; }
  bool operator==(const FixedPoint&) const = default;
};

// Throws UsageError unless 1 <= wl <= 16 and −126 <= fl <= 126.
void check(const FixedPoint& fixed);

// q = half_even(r·2^fl), exactly, then `overflow`. ±∞ saturate. Throws InputError for NaN, and for ±∞ that
// would have to wrap.
std::int32_t to_fixed_point(float r, const FixedPoint& fixed, Overflow overflow = Overflow::saturate);

// q·2^−fl.
float from_fixed_point(std::int32_t q, const FixedPoint& fixed);

}  // namespace halftone::numeric
