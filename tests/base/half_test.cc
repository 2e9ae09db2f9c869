// All patterns of the 16-bit floats, and roundings of float32 against a search among them.
#include "halftone/base/half.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace halftone {
namespace {

template <typename Half>
Half from_bits(std::uint32_t bits) {
  Half half;
  half.bits = static_cast<std::uint16_t>(bits);
  return half;
}

template <typename Half>
double real(std::uint32_t bits) {
  return static_cast<float>(from_bits<Half>(bits));
}

// The value that the fields of a binary format with `mantissa_bits` stand for, as IEEE 754 defines it.
double by_definition(std::uint32_t bits, int mantissa_bits, int bias) {
  const double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
  const int exponent = static_cast<int>((bits & 0x7fffU) >> mantissa_bits);
  const double fraction = std::ldexp(static_cast<double>(bits & ((1U << mantissa_bits) - 1)), -mantissa_bits);
  if (exponent == 2 * bias + 1) return fraction == 0.0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias);
  return sign * std::ldexp(1.0 + fraction, exponent - bias);
}

template <typename Half>
void expect_every_pattern(int mantissa_bits, int bias) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = static_cast<float>(from_bits<Half>(bits));
    const double expected = by_definition(bits, mantissa_bits, bias);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_TRUE(std::isnan(static_cast<float>(Half(value)))) << bits;
      continue;
    }
    ASSERT_EQ(value, expected) << bits;
    ASSERT_EQ(std::signbit(value), (bits & 0x8000U) != 0) << bits;
    ASSERT_EQ(Half(value).bits, bits);
  }
}

// The nearest pattern to x >= 0 by bisection, the even one of two, infinity counting as 2^(largest exponent +
// 1).
template <typename Half>
std::uint32_t nearest(double x, std::uint32_t infinity, double beyond) {
  std::uint32_t lo = 0, hi = infinity;
  const auto value = [&](std::uint32_t bits) { return bits == infinity ? beyond : real<Half>(bits); };
  if (x >= beyond) return infinity;
  while (hi - lo > 1) {
    const std::uint32_t mid = (lo + hi) / 2;
    (value(mid) <= x ? lo : hi) = mid;
  }
  const double below = x - value(lo), above = value(hi) - x;
  if (below == above) return lo % 2 == 0 ? lo : hi;
  return below < above ? lo : hi;
}

template <typename Half>
void expect_nearest(float x, std::uint32_t infinity, double beyond) {
  if (std::isnan(x)) {
    RC_ASSERT(std::isnan(static_cast<float>(Half(x))));
    return;
  }
  const std::uint32_t sign = std::signbit(x) ? 0x8000U : 0U;
  RC_ASSERT(Half(x).bits == (nearest<Half>(std::fabs(x), infinity, beyond) | sign));
}

// Any word, or one of float16's exponents, half of these with a short mantissa: exact values and ties.
float any_float() {
  const auto word = *rc::gen::resize(1000, rc::gen::arbitrary<std::uint32_t>());
  const auto kind = word % 4;
  if (kind == 0) return std::bit_cast<float>(word);
  const auto exponent = 127 + static_cast<int>(word / 4 % 48) - 30;
  const std::uint32_t mantissa = kind == 1 ? word >> 9 : (word >> 9) & 0x7ff000U;
  return std::bit_cast<float>((word & 0x80000000U) | static_cast<std::uint32_t>(exponent) << 23 | mantissa);
}

TEST(Float16, EveryPatternIsItsDefinitionAndComesBack) { expect_every_pattern<float16>(10, 15); }

TEST(Float16, KnownValues) {
  EXPECT_EQ(float16(0.0F).bits, 0x0000);
  EXPECT_EQ(float16(-0.0F).bits, 0x8000);
  EXPECT_EQ(float16(1.0F).bits, 0x3c00);
  EXPECT_EQ(float16(-2.0F).bits, 0xc000);
  EXPECT_EQ(float16(1.0F / 3.0F).bits, 0x3555);
  EXPECT_EQ(float16(65504.0F).bits, 0x7bff);
  EXPECT_EQ(float16(0x1p-14F).bits, 0x0400);
  EXPECT_EQ(float16(0x1p-24F).bits, 0x0001);
  EXPECT_EQ(float16().bits, 0);
}

TEST(Float16, TiesGoToEven) {
  EXPECT_EQ(float16(1.0F + 0x1p-11F).bits, 0x3c00);
  EXPECT_EQ(float16(1.0F + 3 * 0x1p-11F).bits, 0x3c02);
  EXPECT_EQ(float16(std::nextafter(1.0F + 0x1p-11F, 2.0F)).bits, 0x3c01);
  EXPECT_EQ(float16(2049.0F).bits, float16(2048.0F).bits);
  EXPECT_EQ(float16(2051.0F).bits, float16(2052.0F).bits);
}

TEST(Float16, OverflowsToInfinity) {
  EXPECT_EQ(float16(std::nextafter(65520.0F, 0.0F)).bits, 0x7bff);
  EXPECT_EQ(float16(65520.0F).bits, 0x7c00);
  EXPECT_EQ(float16(-65520.0F).bits, 0xfc00);
  EXPECT_EQ(float16(std::numeric_limits<float>::max()).bits, 0x7c00);
  EXPECT_EQ(float16(INFINITY).bits, 0x7c00);
  EXPECT_EQ(float16(-INFINITY).bits, 0xfc00);
}

TEST(Float16, Subnormals) {
  EXPECT_EQ(float16(0x1p-25F).bits, 0x0000);  // half of the smallest
  EXPECT_EQ(float16(std::nextafter(0x1p-25F, 1.0F)).bits, 0x0001);
  EXPECT_EQ(float16(3 * 0x1p-25F).bits, 0x0002);
  EXPECT_EQ(float16(-0x1p-26F).bits, 0x8000);
  EXPECT_EQ(float16(0x1p-14F - 0x1p-24F).bits, 0x03ff);
  EXPECT_EQ(float16(0x1p-14F - 0x1p-25F).bits, 0x0400);  // rounds up to the smallest normal
  EXPECT_EQ(float16(std::numeric_limits<float>::denorm_min()).bits, 0x0000);
}

TEST(Float16, NotANumberStaysAndKeepsItsSign) {
  for (std::uint32_t word : {0x7f800001U, 0x7fc00000U, 0x7fffffffU, 0xff800001U, 0xffffffffU}) {
    const float16 half(std::bit_cast<float>(word));
    EXPECT_TRUE(std::isnan(static_cast<float>(half))) << word;
    EXPECT_EQ(half.bits >> 15, word >> 31);
  }
}

RC_GTEST_PROP(Float16, IsTheNearest, ()) { expect_nearest<float16>(any_float(), 0x7c00, 65536.0); }

TEST(Bfloat16, EveryPatternIsItsDefinitionAndComesBack) { expect_every_pattern<bfloat16>(7, 127); }

TEST(Bfloat16, KnownValues) {
  EXPECT_EQ(bfloat16(-0.0F).bits, 0x8000);
  EXPECT_EQ(bfloat16(1.0F).bits, 0x3f80);
  EXPECT_EQ(bfloat16(-2.0F).bits, 0xc000);
  EXPECT_EQ(bfloat16(1.0F / 3.0F).bits, 0x3eab);
  EXPECT_EQ(bfloat16(1.0F + 0x1p-8F).bits, 0x3f80);
  EXPECT_EQ(bfloat16(1.0F + 3 * 0x1p-8F).bits, 0x3f82);
  EXPECT_EQ(bfloat16(std::numeric_limits<float>::max()).bits, 0x7f80);
  EXPECT_EQ(bfloat16(-std::numeric_limits<float>::max()).bits, 0xff80);
  EXPECT_EQ(bfloat16(INFINITY).bits, 0x7f80);
  EXPECT_EQ(bfloat16(std::numeric_limits<float>::denorm_min()).bits, 0x0000);
}

TEST(Bfloat16, NotANumberStaysEvenWhereItsBitsAreCutOff) {
  for (std::uint32_t word : {0x7f800001U, 0x7fc00000U, 0x7fffffffU, 0xff800001U, 0xffffffffU}) {
    const bfloat16 half(std::bit_cast<float>(word));
    EXPECT_TRUE(std::isnan(static_cast<float>(half))) << word;
    EXPECT_EQ(half.bits >> 15, word >> 31);
  }
}

RC_GTEST_PROP(Bfloat16, IsTheNearest, ()) { expect_nearest<bfloat16>(any_float(), 0x7f80, 0x1p128); }

}  // namespace
}  // namespace halftone
