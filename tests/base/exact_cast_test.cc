// Conversions that keep every number, and those that are refused.
#include "halftone/base/exact_cast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "halftone/base/error.h"

namespace halftone {
namespace {

template <typename T>
Tensor one(T value) {
  return Tensor::from<T>({1}, std::span<const T>(&value, 1));
}

template <typename T>
bool fits(T value, DType dtype) {
  try {
    return exact_cast(one(value), dtype, "x").dtype() == dtype;
  } catch (const InputError&) {
    return false;
  }
}

TEST(ExactCast, BetweenIntegersByRange) {
  EXPECT_TRUE(fits<std::int64_t>(127, DType::int8));
  EXPECT_FALSE(fits<std::int64_t>(128, DType::int8));
  EXPECT_FALSE(fits<std::int64_t>(-1, DType::uint8));
  EXPECT_FALSE(fits<std::int64_t>(-1, DType::uint64));
  EXPECT_FALSE(fits(std::numeric_limits<std::uint64_t>::max(), DType::int64));
  EXPECT_TRUE(fits<std::int8_t>(-8, DType::int4));
  EXPECT_FALSE(fits<std::int8_t>(8, DType::int4));
  EXPECT_FALSE(fits<std::int8_t>(-1, DType::uint2));
  EXPECT_TRUE(fits<std::uint8_t>(3, DType::uint2));
  EXPECT_TRUE(fits<std::uint8_t>(1, DType::boolean));
  EXPECT_FALSE(fits<std::uint8_t>(2, DType::boolean));
  EXPECT_TRUE(fits(true, DType::int64));
}

TEST(ExactCast, BetweenFloatsAndIntegersByValue) {
  EXPECT_TRUE(fits(3.0F, DType::int64));
  EXPECT_FALSE(fits(3.5F, DType::int64));
  EXPECT_FALSE(fits(std::nanf(""), DType::int32));
  EXPECT_FALSE(fits(INFINITY, DType::int32));
  EXPECT_FALSE(fits(0x1p63F, DType::int64));
  EXPECT_TRUE(fits(0x1p63F, DType::uint64));
  EXPECT_FALSE(fits(0x1p64F, DType::uint64));
  EXPECT_TRUE(fits<std::int32_t>(1 << 24, DType::float32));
  EXPECT_FALSE(fits<std::int32_t>((1 << 24) + 1, DType::float32));
  EXPECT_TRUE(fits(true, DType::float32));
  EXPECT_FALSE(fits(std::numeric_limits<std::int64_t>::max(), DType::float32));
}

TEST(ExactCast, FloatsAreRounded) {
  EXPECT_EQ(exact_cast(one(0.1), DType::float32, "x").data<float>()[0], 0.1F);
}

TEST(ExactCast, FiniteFloatsStayFinite) {
  EXPECT_TRUE(fits(INFINITY, DType::float16));
  EXPECT_TRUE(fits(std::nanf(""), DType::float16));
  EXPECT_TRUE(fits(65504.0F, DType::float16));
  EXPECT_FALSE(fits(65520.0F, DType::float16));
  EXPECT_FALSE(fits(-1e39, DType::float32));
  EXPECT_FALSE(fits(1e300, DType::bfloat16));
}

TEST(ExactCast, NamesTheFirstThatDoesNotFit) {
  try {
    exact_cast(Tensor::from<float>({2}, std::vector{1.0F, 1.5F}), DType::int8, "input 'a'");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "[input 'a'] element 1, got 1.5, expected a number that int8 holds");
  }
}

}  // namespace
}  // namespace halftone
