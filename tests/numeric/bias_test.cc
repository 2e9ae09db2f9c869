#include "halftone/numeric/bias.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/numeric/affine.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Section 5, in words: b/(s_x·s_w) in double, to the nearest integer, ties to even (the environment's own
// mode).
double nearest(float b, float s_x, float s_w) {
  return std::nearbyint(static_cast<double>(b) / (static_cast<double>(s_x) * static_cast<double>(s_w)));
}
bool fits(float b, float s_x, float s_w) { return std::fabs(nearest(b, s_x, s_w)) <= 0x1p30; }

TEST(QuantizeBias, TiesGoToEven) {
  const auto q = [](float times) { return quantize_bias(times * 0.125F, 0.5F, 0.25F); };
  EXPECT_EQ(q(0.5F), 0);
  EXPECT_EQ(q(-0.5F), 0);
  EXPECT_EQ(q(1.5F), 2);
  EXPECT_EQ(q(-1.5F), -2);
  EXPECT_EQ(q(2.5F), 2);
  EXPECT_EQ(q(-2.5F), -2);
  EXPECT_EQ(q(-3.5F), -4);
  EXPECT_EQ(q(0.0F), 0);
}

RC_GTEST_PROP(QuantizeBias, IsTheQuotientInDouble, ()) {
  const float b = *float_of_exponent(-20, 20);
  const float s_x = *positive_float_of_exponent(-15, 5);
  const float s_w = *positive_float_of_exponent(-15, 5);
  RC_ASSERT(static_cast<double>(quantize_bias(b, s_x, s_w)) == nearest(b, s_x, s_w));
}

TEST(QuantizeBias, TheProductOfScalesDoesNotUnderflow) {
  // 1e−30·1e−30 is zero in float32.
  EXPECT_NEAR(static_cast<double>(quantize_bias(1e-44F, 1e-30F, 1e-30F)), static_cast<double>(1e-44F) * 1e60,
              1e10);
  EXPECT_EQ(quantize_bias(1.0F, 1e30F, 1e30F), 0);
}

TEST(QuantizeBias, IsNotClamped) {
  EXPECT_EQ(quantize_bias(0x1p40F, 1, 1), std::int64_t{1} << 40);
  EXPECT_EQ(quantize_bias(-0x1p61F, 1, 1), -(std::int64_t{1} << 61));
}

TEST(QuantizeBias, RefusesWhatHasNoInteger) {
  EXPECT_THROW(quantize_bias(0x1p62F, 1, 1), InputError);
  EXPECT_THROW(quantize_bias(-3e38F, 1e-30F, 1e-30F), InputError);
  for (float bad : {kNan, kInfinity, -kInfinity}) {
    EXPECT_THROW(quantize_bias(bad, 1, 1), InputError) << bad;
    EXPECT_THROW(weight_scale_for_bias(bad, 1, 1, false), InputError) << bad;
    EXPECT_THROW(quantize_bias_narrow(bad, 1, 1, 8), InputError) << bad;
  }
}

RC_GTEST_PROP(WeightScaleForBias, IsTheSmallestThatFits, ()) {
  const float b = *float_of_exponent(-10, 30);
  const float s_x = *positive_float_of_exponent(-40, 0);
  const auto power_of_two = *rc::gen::arbitrary<bool>();
  const float drawn = *positive_float_of_exponent(-60, 20);
  const float s_w = power_of_two ? ceil_power_of_two(drawn) : drawn;
  const float result = weight_scale_for_bias(b, s_x, s_w, power_of_two);
  if (fits(b, s_x, s_w)) {
    RC_ASSERT(result == s_w);
  } else {
    RC_ASSERT(result > s_w);
    RC_ASSERT(std::isnormal(result));
    RC_ASSERT(fits(b, s_x, result));
    const float below = power_of_two ? result / 2 : std::nextafter(result, 0.0F);
    RC_ASSERT(!fits(b, s_x, below));
    if (power_of_two) RC_ASSERT(is_power_of_two(result));
  }
}

TEST(WeightScaleForBias, TwoToThe30Fits) {
  EXPECT_EQ(weight_scale_for_bias(0x1p30F, 1, 1, false), 1.0F);
  EXPECT_EQ(weight_scale_for_bias(-0x1p30F, 1, 1, true), 1.0F);
  const float above = std::nextafter(0x1p30F, kInfinity);
  EXPECT_GT(weight_scale_for_bias(above, 1, 1, false), 1.0F);
  EXPECT_EQ(weight_scale_for_bias(above, 1, 1, true), 2.0F);
  EXPECT_EQ(weight_scale_for_bias(-above, 1, 1, true), 2.0F);
}

TEST(WeightScaleForBias, ByHand) {
  EXPECT_EQ(weight_scale_for_bias(3.0F, 1, 0x1p-30F, true), 0x1p-28F);
  EXPECT_EQ(weight_scale_for_bias(3.0F, 1, 0x1p-30F, false), 3 * 0x1p-30F);
  EXPECT_EQ(weight_scale_for_bias(0.0F, 1, 1e-38F, false), 1e-38F);
  EXPECT_EQ(weight_scale_for_bias(1.0F, 0.5F, 0x1p-60F, false), 0x1p-29F);
}

TEST(WeightScaleForBias, ABiasThatNoFloat32ScaleFitsIsRefused) {
  // |b|/(s_x·2^30) is about 10^41: above every float32.
  EXPECT_THROW(weight_scale_for_bias(1e30F, 1e-20F, 1e-3F, false), InputError);
}

TEST(WeightScaleForBiasDeathTest, ABiasThatNoPowerOfTwoFitsIsRefusedInTime) {
  const auto refuse = [] {
    ::alarm(2);
    try {
      weight_scale_for_bias(1e30F, 1e-20F, 1e-3F, true);
    } catch (const InputError&) {
      std::_Exit(0);
    }
    std::_Exit(1);
  };
  EXPECT_EXIT(refuse(), testing::ExitedWithCode(0), "");
}

RC_GTEST_PROP(QuantizeBiasNarrow, TakesTheLeastShiftThatFits, ()) {
  const float b = *float_of_exponent(-20, 60);
  const float s_x = *positive_float_of_exponent(-15, 5);
  const float s_w = *positive_float_of_exponent(-15, 5);
  const auto bits = *rc::gen::inRange(2, 33);
  const NarrowBias narrow = quantize_bias_narrow(b, s_x, s_w, bits);
  const double real = static_cast<double>(b) / (static_cast<double>(s_x) * static_cast<double>(s_w));
  const double lo = -std::ldexp(1.0, bits - 1);
  const double hi = std::ldexp(1.0, bits - 1) - 1;
  const auto at = [&](int shift) { return std::nearbyint(std::ldexp(real, -shift)); };
  RC_ASSERT(narrow.shift >= 0);
  RC_ASSERT(static_cast<double>(narrow.q) == at(narrow.shift));
  RC_ASSERT(at(narrow.shift) >= lo);
  RC_ASSERT(at(narrow.shift) <= hi);
  if (narrow.shift > 0) RC_ASSERT(at(narrow.shift - 1) < lo || at(narrow.shift - 1) > hi);
}

TEST(QuantizeBiasNarrow, TwosComplementIsNotSymmetric) {
  const auto narrow = [](float b) { return quantize_bias_narrow(b, 1, 1, 8); };
  const auto expect = [&](float b, std::int64_t q, int shift) {
    EXPECT_EQ(narrow(b).q, q) << b;
    EXPECT_EQ(narrow(b).shift, shift) << b;
  };
  expect(127, 127, 0);
  expect(127.25F, 127, 0);
  expect(127.5F, 64, 1);  // half_even gives 128, which does not fit; 63.75 is 64
  expect(128, 64, 1);
  expect(-128, -128, 0);
  expect(-128.5F, -128, 0);
  expect(-129, -64, 1);  // −64.5 to even
  expect(255, 64, 2);    // 127.5 to even is 128; 63.75 is 64
  expect(254, 127, 1);
  expect(0, 0, 0);
}

TEST(QuantizeBiasNarrow, BitsFrom2To32) {
  EXPECT_EQ(quantize_bias_narrow(-2, 1, 1, 2).q, -2);
  EXPECT_EQ(quantize_bias_narrow(2, 1, 1, 2).q, 1);
  EXPECT_EQ(quantize_bias_narrow(2, 1, 1, 2).shift, 1);
  EXPECT_EQ(quantize_bias_narrow(-0x1p31F, 1, 1, 32).q, -(std::int64_t{1} << 31));
  for (int bits : {-1, 0, 1, 33, 64}) EXPECT_THROW(quantize_bias_narrow(1, 1, 1, bits), UsageError) << bits;
}

}  // namespace
}  // namespace halftone::numeric
