#include "halftone/rtl/float32.h"

#include <bit>
#include <cmath>
#include <limits>

namespace halftone::rtl {
namespace {

constexpr std::uint32_t kNan = 0x7fc00000, kSign = 0x80000000;

std::uint32_t flushed(std::uint32_t bits) { return (bits & 0x7f800000) == 0 ? bits & kSign : bits; }

// In double a product of two float32 is exact, and a sum rounded twice is the sum rounded once (Figueroa, 1995: 53 >= 2·24 + 2). Only a
// result below the least normal number is judged before it is rounded to fewer bits.
std::uint32_t rounded(double exact) {
  if (std::isnan(exact)) return kNan;
  constexpr double kLeast = std::numeric_limits<float>::min();
  const auto result = static_cast<float>(exact);
  // One that rounds up to the least normal number, as if the exponent had no end, stays.
  if (std::abs(exact) < kLeast && std::abs(static_cast<float>(exact * 0x1p64)) < static_cast<float>(kLeast * 0x1p64)) return std::signbit(exact) ? kSign : 0;
  return std::bit_cast<std::uint32_t>(result);
}

double value_of(std::uint32_t bits) { return static_cast<double>(std::bit_cast<float>(flushed(bits))); }

}  // namespace

std::uint32_t float_product(std::uint32_t a, std::uint32_t b) { return rounded(value_of(a) * value_of(b)); }
std::uint32_t float_sum(std::uint32_t a, std::uint32_t b) { return rounded(value_of(a) + value_of(b)); }
std::uint32_t float_of(std::int32_t x) { return std::bit_cast<std::uint32_t>(static_cast<float>(x)); }

}  // namespace halftone::rtl
