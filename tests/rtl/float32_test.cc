// float32 with subnormals as 0, by cases worked out by hand.
#include "halftone/rtl/float32.h"

#include <gtest/gtest.h>

#include <bit>

namespace halftone::rtl {
namespace {

std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

TEST(Float32, RoundsToNearestEven) {
  EXPECT_EQ(float_sum(bits(1.0F), bits(0x1p-24F)), bits(1.0F));
  EXPECT_EQ(float_sum(bits(1.0F), bits(0x1.8p-24F)), bits(1.0F + 0x1p-23F));
  EXPECT_EQ(float_sum(bits(1.0F + 0x1p-23F), bits(0x1p-24F)), bits(1.0F + 0x1p-22F));
  EXPECT_EQ(float_product(bits(1.0F + 0x1p-23F), bits(1.5F)), bits((1.0F + 0x1p-23F) * 1.5F));
}

TEST(Float32, SubnormalsAreZeroOfTheirSign) {
  EXPECT_EQ(float_sum(1, bits(0.0F)), 0U);
  EXPECT_EQ(float_sum(0x80000001, 0x80000000), 0x80000000);
  EXPECT_EQ(float_product(bits(0x1p-126F), bits(-0.5F)), 0x80000000);
  EXPECT_EQ(float_sum(bits(0x1.8p-126F), bits(-0x1p-126F)), 0U);
  // Just below the least normal number, but it rounds up to it.
  EXPECT_EQ(float_product(bits(0x1.fffffep-126F), bits(0x1.000002p-1F)), bits(0x1p-126F));
}

TEST(Float32, KnowsInfinityAndOneNan) {
  EXPECT_EQ(float_product(0x7f800000, bits(-2.0F)), 0xff800000);
  EXPECT_EQ(float_product(0x7f800000, 1), 0x7fc00000U);  // infinity times a subnormal
  EXPECT_EQ(float_sum(0x7f800000, 0xff800000), 0x7fc00000U);
  EXPECT_EQ(float_sum(0xffc12345, 0), 0x7fc00000U);
  EXPECT_EQ(float_product(bits(0x1p100F), bits(0x1p100F)), 0x7f800000U);
  EXPECT_EQ(float_of(-128), bits(-128.0F));
}

}  // namespace
}  // namespace halftone::rtl
