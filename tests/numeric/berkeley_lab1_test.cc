// From 'Berkeley lab 1' (EE 290-2, Lab 1: Quantization, Spring 2020): its rules as tests.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/numeric/affine.h"
#include "halftone/numeric/bias.h"
#include "halftone/numeric/requantize.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

constexpr IntegerFormat kInt8{8, true, false};
constexpr IntegerFormat kNarrow{8, true, true};

// Berkeley lab 1, section 2: "32.5 ... round-to-even ... (32 in the previous example)".
TEST(BerkeleyLab1, RoundToEven) {
  EXPECT_EQ(round_real(32.5, Rounding::half_even), 32);
  EXPECT_EQ(round_real(33.5, Rounding::half_even), 34);
  EXPECT_EQ(round_real(-32.5, Rounding::half_even), -32);
  EXPECT_EQ(quantize(32.5F, Affine{}, kInt8), 32);
  EXPECT_EQ(quantize(33.5F, Affine{}, kInt8), 34);
}

// Berkeley lab 1, section 2: to even "the mean error is expected to be 0"; rounding to the highest number
// biases.
TEST(BerkeleyLab1, RoundToEvenHasNoBias) {
  const auto mean_error = [](Rounding rounding) {
    double sum = 0;
    for (int i = -64; i < 64; ++i) sum += round_real(i + 0.5, rounding) - (i + 0.5);
    return sum / 128;
  };
  EXPECT_EQ(mean_error(Rounding::half_even), 0);
  EXPECT_EQ(mean_error(Rounding::half_up), 0.5);
  EXPECT_EQ(mean_error(Rounding::floor), -0.5);
}

// Berkeley lab 1, section 2: "too large, or too low ... mapped to our maximum and minimum fixed-point
// values".
TEST(BerkeleyLab1, OutOfRangeIsTheMaximumAndMinimum) {
  EXPECT_EQ(quantize(1000.0F, Affine{}, kInt8), 127);
  EXPECT_EQ(quantize(-1000.0F, Affine{}, kInt8), -128);
}

// Berkeley lab 1, question 2: n_W·W·In = n_W·Out. n_W is one over our scale, so integers times scale are the
// weights: the integer product differs from n_W·Out only by the weights' own rounding, half a step each.
RC_GTEST_PROP(BerkeleyLab1, ScaledWeightsScaleTheOutput, ()) {
  const auto weights = *rc::gen::nonEmpty(rc::gen::container<std::vector<float>>(float_of_exponent(-6, 0)));
  double alpha = 0;
  for (float w : weights) alpha = std::max<double>(alpha, std::fabs(w));
  const Affine affine = affine_from_range({-alpha, alpha}, kNarrow, Scheme::symmetric);
  const double n_W = 1.0 / static_cast<double>(affine.scale);
  double out = 0;
  double integer_out = 0;
  double half_steps = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto in = static_cast<double>(*rc::gen::inRange(-128, 128));
    const std::int32_t q = quantize(weights[i], affine, kNarrow);
    RC_ASSERT(std::abs(q) <= 127);
    out += static_cast<double>(weights[i]) * in;
    integer_out += q * in;
    half_steps += std::fabs(in) / 2;
  }
  RC_ASSERT(std::fabs(integer_out - n_W * out) <= half_steps * (1 + 1e-4) + 1e-6);
}

// Berkeley lab 1, question 4: outputs are scaled by n_Out and clamped "to integers between -128 and 127".
TEST(BerkeleyLab1, OutputsAreScaledAndClamped) {
  const Multiplier M = multiplier_from(real_multiplier(0.01F, 0.02F, 0.05F), 32);  // 0.004
  const auto scaled = [&](std::int64_t acc) {
    return requantize_fixed(acc, M.m, M.shift(), {}, Rounding::half_even);
  };
  EXPECT_EQ(scaled(1000), 4);
  EXPECT_EQ(scaled(-1000), -4);
  EXPECT_EQ(scaled(100'000), 127);
  EXPECT_EQ(scaled(-100'000), -128);
}

// Berkeley lab 1, question 5: β is scaled by n_W·n_In, and may take 32 bits.
TEST(BerkeleyLab1, TheBiasHasTheProductOfTheScales) {
  EXPECT_EQ(quantize_bias(1.5F, 1.0F / 64, 1.0F / 128), 12288);  // 1.5·64·128
  EXPECT_GT(quantize_bias(-1.5F, 1.0F / 64, 1.0F / 128), -kMaxBias);
  EXPECT_LT(quantize_bias(-1.5F, 1.0F / 64, 1.0F / 128), -128);
}

// Berkeley lab 1, section 5: scaling factors that are powers of two need "simple bit-shifters" only.
TEST(BerkeleyLab1, PowersOfTwoNeedOnlyAShift) {
  const float s = affine_from_range({-1, 1}, kNarrow, Scheme::symmetric, true).scale;
  ASSERT_TRUE(is_power_of_two(s));
  EXPECT_EQ(exponent_of(s), -6);
  for (std::int64_t acc = -20'000; acc <= 20'000; acc += 7) {
    const int n = exponent_of(0.25F) - 2 * exponent_of(s);  // s·s/0.25 = 2^−10
    const Multiplier M = multiplier_from(real_multiplier(s, s, 0.25F), 8);
    ASSERT_EQ(requantize_shift(acc, n, {}, Rounding::half_even),
              requantize_fixed(acc, M.m, M.shift(), {}, Rounding::half_even));
  }
}

}  // namespace
}  // namespace halftone::numeric
