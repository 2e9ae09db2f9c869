// Words of fixed point, saturating and wrapping. docs/arithmetic.md sections 1 and 2.
#include "halftone/numeric/fixed_point.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/numeric/affine.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

TEST(FixedPoint, RoundsToEvenAndKeepsTheWord) {
  const FixedPoint f{4, 2};  // −2 to 1.75 in steps of ¼
  EXPECT_EQ(to_fixed_point(0.125F, f), 0);
  EXPECT_EQ(to_fixed_point(0.375F, f), 2);
  EXPECT_EQ(to_fixed_point(-0.375F, f), -2);
  EXPECT_EQ(to_fixed_point(1.9F, f), 7);
  EXPECT_EQ(to_fixed_point(-7.0F, f), -8);
  EXPECT_EQ(from_fixed_point(-8, f), -2.0F);
  EXPECT_EQ(to_fixed_point(1.0F, {1, 0}), 0);
  EXPECT_EQ(to_fixed_point(-5.0F, {1, 0}), -1);
}

TEST(FixedPoint, WrappingKeepsTheLowBits) {
  const FixedPoint f{4, 2};
  EXPECT_EQ(to_fixed_point(2.0F, f, Overflow::wrap), -8);
  EXPECT_EQ(to_fixed_point(-2.25F, f, Overflow::wrap), 7);
  EXPECT_EQ(to_fixed_point(4.0F, f, Overflow::wrap), 0);
  EXPECT_EQ(to_fixed_point(1.75F, f, Overflow::wrap), 7);
  // Far beyond 64 bits every low bit is 0.
  EXPECT_EQ(to_fixed_point(3e38F, {16, 100}, Overflow::wrap), 0);
  EXPECT_EQ(to_fixed_point(3e38F, {16, 100}), 32767);
}

TEST(FixedPoint, WhatHasNoIntegerIsRefused) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(to_fixed_point(infinity, {8, 4}), 127);
  EXPECT_EQ(to_fixed_point(-infinity, {8, 4}), -128);
  EXPECT_THROW(to_fixed_point(infinity, {8, 4}, Overflow::wrap), InputError);
  EXPECT_THROW(to_fixed_point(NAN, {8, 4}), InputError);
  EXPECT_THROW(overflow_from("clamp"), UsageError);
  EXPECT_EQ(overflow_from("wrap"), Overflow::wrap);
  EXPECT_THROW(check(FixedPoint{17, 0}), UsageError);
  EXPECT_THROW(check(FixedPoint{0, 0}), UsageError);
  EXPECT_THROW(check(FixedPoint{8, 127}), UsageError);
  EXPECT_NO_THROW(check(FixedPoint{16, -126}));
}

// Saturating is the affine quantization at scale 2^−fl; wrapping agrees with it inside the word and differs
// by a multiple of 2^wl outside.
RC_GTEST_PROP(FixedPoint, IsAffineAtAPowerOfTwo, ()) {
  const FixedPoint f{*rc::gen::inRange(1, 17), *rc::gen::inRange(-4, 20)};
  const float w = *float_of_exponent(-12, 12);
  const std::int32_t saturated = to_fixed_point(w, f);
  RC_ASSERT(saturated == quantize(w, fixed_point(f.fraction_length), f.format()));
  const double q = std::nearbyint(std::ldexp(static_cast<double>(w), f.fraction_length));
  const std::int32_t wrapped = to_fixed_point(w, f, Overflow::wrap);
  RC_ASSERT(wrapped >= f.format().qmin());
  RC_ASSERT(wrapped <= f.format().qmax());
  RC_ASSERT(std::fmod(q - wrapped, std::ldexp(1.0, f.word_length)) == 0.0);
  if (q >= f.format().qmin() && q <= f.format().qmax()) RC_ASSERT(wrapped == saturated);
}

}  // namespace
}  // namespace halftone::numeric
