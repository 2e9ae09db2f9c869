#include "halftone/numeric/requantize.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "tests/base/message_of.h"
#include "tests/numeric/exact_rounding.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

constexpr std::int64_t kMin64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax64 = std::numeric_limits<std::int64_t>::max();
constexpr OutputBounds kInt8{0, -128, 127};

rc::Gen<OutputBounds> any_bounds() {
  return rc::gen::exec([] {
    const auto format = *rc::gen::arbitrary<IntegerFormat>();
    const auto integer =
        rc::gen::resize(rc::kNominalSize, rc::gen::inRange(format.qmin(), format.qmax() + 1));
    const auto a = *integer;
    const auto b = *integer;
    return OutputBounds{*integer, std::min(a, b), std::max(a, b)};
  });
}

std::int64_t clamp_exactly(Wide x, const OutputBounds& y) {
  const Wide q = x + y.zero_point;
  return q < y.lo ? y.lo : q > y.hi ? y.hi : static_cast<std::int64_t>(q);
}

RC_GTEST_PROP(AddZeroPointAndSaturate, NeverOverflows, ()) {
  const OutputBounds y = *any_bounds();
  const std::int64_t x = *any_int64();
  for (std::int64_t each : {x, kMin64, kMax64, kMin64 + 1, std::int64_t{0}})
    RC_ASSERT(add_zero_point_and_saturate(each, y) == clamp_exactly(each, y));
}

RC_GTEST_PROP(RequantizeFixed, IsOneRoundingOfTheExactProduct, (Rounding rounding)) {
  const OutputBounds y = *any_bounds();
  const auto bits = *rc::gen::element(8, 16, 32);
  const Multiplier M = multiplier_from(*positive_of_exponent(-50, 4), bits);
  const std::int64_t acc = *any_int64() >> (bits == 32 ? 32 : 17);
  RC_ASSERT(requantize_fixed(acc, M.m, M.shift(), y, rounding) ==
            clamp_exactly(round_shift_exactly(acc * M.m, M.shift(), rounding), y));
}

// |acc·m·2^−shift − acc·M| ≤ |acc|·M·2^−(B−1), and one rounding adds at most ½.
RC_GTEST_PROP(RequantizeFixed, IsTheRealProductWithinItsBound, ()) {
  const auto bits = *rc::gen::element(8, 16, 32);
  const double M = *positive_of_exponent(-30, 0);
  const Multiplier multiplier = multiplier_from(M, bits);
  const std::int64_t acc = *any_int64() >> 34;
  const OutputBounds wide{0, std::numeric_limits<std::int32_t>::min(),
                          std::numeric_limits<std::int32_t>::max()};
  const double q = requantize_fixed(acc, multiplier.m, multiplier.shift(), wide, Rounding::half_even);
  const double real = static_cast<double>(acc) * M;
  RC_ASSERT(std::fabs(q - real) <= 0.5 + std::fabs(real) * (std::ldexp(1.0, 1 - bits) + 0x1p-50));
}

TEST(RequantizeFixed, RoundsOnceNotTwice) {
  // acc·m = 2^30 − 1 with shift 31 lies just below ½: rounding the high word first (as a doubling high
  // multiply does) makes a tie of it.
  EXPECT_EQ(requantize_fixed((std::int64_t{1} << 30) - 1, 1, 31, kInt8, Rounding::half_away), 0);
  EXPECT_EQ(requantize_fixed(std::int64_t{1} << 30, 1, 31, kInt8, Rounding::half_away), 1);
  // 2.5 − 2^−20: rounding to tenths of a bit first gives 2.5 and then 2 or 3.
  const std::int64_t x = (5LL << 19) - 1;
  EXPECT_EQ(requantize_fixed(x, 1, 20, kInt8, Rounding::half_up), 2);
}

TEST(RequantizeFixed, NegativeTies) {
  // M = ½: m = 64, shift 7.
  const auto half = [](std::int64_t acc, Rounding rounding) {
    return requantize_fixed(acc, 64, 7, kInt8, rounding);
  };
  EXPECT_EQ(half(-5, Rounding::half_even), -2);
  EXPECT_EQ(half(-7, Rounding::half_even), -4);
  EXPECT_EQ(half(-5, Rounding::half_away), -3);
  EXPECT_EQ(half(-5, Rounding::half_up), -2);
  EXPECT_EQ(half(-5, Rounding::floor), -3);
  EXPECT_EQ(half(5, Rounding::half_even), 2);
  EXPECT_EQ(half(5, Rounding::half_away), 3);
}

TEST(RequantizeFixed, RoundsBeforeTheZeroPointIsAdded) {
  EXPECT_EQ(requantize_fixed(1, 64, 7, {1, -128, 127}, Rounding::half_even), 1);
  EXPECT_EQ(requantize_fixed(3, 64, 7, {1, -128, 127}, Rounding::half_even), 3);
}

TEST(RequantizeFixed, SaturatesTheLargestAccumulators) {
  constexpr std::int64_t kMost32 = std::int64_t{1} << 31;
  constexpr std::int64_t kMost16 = (std::int64_t{1} << 47) - 1;
  for (Rounding rounding : kRoundings)
    for (int shift : {-60, -1, 0, 1, 31}) {
      EXPECT_EQ(requantize_fixed(kMost32, 2147483647, shift, kInt8, rounding), 127);
      EXPECT_EQ(requantize_fixed(-kMost32, 2147483647, shift, kInt8, rounding), -128);
      EXPECT_EQ(requantize_fixed(kMost16, 32767, shift, {255, 0, 255}, rounding), 255);
      EXPECT_EQ(requantize_fixed(-kMost16, 32767, shift, {255, 0, 255}, rounding), 0);
    }
  EXPECT_EQ(requantize_fixed(kMost32, 2147483647, 62, kInt8, Rounding::half_even), 1);
  EXPECT_EQ(requantize_fixed(-kMost32, 2147483647, 62, kInt8, Rounding::half_even), -1);
  EXPECT_EQ(requantize_fixed(-kMost32, 2147483647, 200, kInt8, Rounding::half_even), 0);
}

TEST(RequantizeFixed, TheBoundsAreTheActivation) {
  const OutputBounds relu{3, 3, 127};  // real zero is q = 3
  EXPECT_EQ(requantize_fixed(-1000, 64, 7, relu, Rounding::half_even), 3);
  EXPECT_EQ(requantize_fixed(4, 64, 7, relu, Rounding::half_even), 5);
  const OutputBounds point{0, 7, 7};
  EXPECT_EQ(requantize_fixed(kMax64 >> 16, 64, 7, point, Rounding::half_even), 7);
}

RC_GTEST_PROP(RequantizeShift, IsTheRoundedShift, (Rounding rounding)) {
  const OutputBounds y = *any_bounds();
  const std::int64_t acc = *any_int64();
  const auto n = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(-70, 131));
  RC_ASSERT(requantize_shift(acc, n, y, rounding) == clamp_exactly(round_shift_exactly(acc, n, rounding), y));
}

// Where every scale is a power of two the two modes are one.
RC_GTEST_PROP(RequantizeShift, EqualsFixedForPowersOfTwo, (Rounding rounding)) {
  const OutputBounds y = *any_bounds();
  const std::int64_t acc = *any_int64() >> 32;
  const auto n = *rc::gen::inRange(-20, 60);
  const Multiplier M = multiplier_from(std::ldexp(1.0, -n), *rc::gen::element(8, 16, 32));
  RC_ASSERT(requantize_shift(acc, n, y, rounding) == requantize_fixed(acc, M.m, M.shift(), y, rounding));
}

TEST(RequantizeShift, TheLargestIntegersSaturate) {
  for (int n : {-100, -1, 0, 1, 20}) {
    EXPECT_EQ(requantize_shift(kMax64, n, {127, -128, 127}, Rounding::half_even), 127);
    EXPECT_EQ(requantize_shift(kMin64, n, {-128, -128, 127}, Rounding::half_even), -128);
  }
}

TEST(RequantizeOnnx, TiesGoToEven) {
  const auto half = [](std::int32_t acc) { return requantize_onnx(acc, 0.5F, kInt8); };
  EXPECT_EQ(half(5), 2);
  EXPECT_EQ(half(7), 4);
  EXPECT_EQ(half(-5), -2);
  EXPECT_EQ(half(-7), -4);
  EXPECT_EQ(half(1), 0);
  EXPECT_EQ(half(-1), 0);
}

TEST(RequantizeOnnx, SaturatesExtremes) {
  constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  for (float M : {0.001F, 1.0F, 1e30F, 3e38F}) {
    EXPECT_EQ(requantize_onnx(kMax, M, {-128, -128, 127}), 127) << M;
    EXPECT_EQ(requantize_onnx(kMin, M, {127, -128, 127}), -128) << M;
  }
  EXPECT_EQ(requantize_onnx(kMin, 1e-30F, {9, -128, 127}), 9);
  EXPECT_EQ(requantize_onnx(0, 3e38F, {9, -128, 127}), 9);
}

TEST(RequantizeOnnx, TheAccumulatorIsRoundedToFloat32First) {
  const OutputBounds wide{0, std::numeric_limits<std::int32_t>::min(),
                          std::numeric_limits<std::int32_t>::max()};
  EXPECT_EQ(requantize_onnx(16777217, 1.0F, wide), 16777216);
  EXPECT_EQ(requantize_onnx(16777219, 1.0F, wide), 16777220);
  EXPECT_EQ(requantize_fixed(16777217, std::int64_t{1} << 30, 30, wide, Rounding::half_even), 16777217);
}

RC_GTEST_PROP(RequantizeOnnx, IsOneFloat32Product, ()) {
  const OutputBounds y = *any_bounds();
  const auto acc = static_cast<std::int32_t>(*any_int64() >> 32);
  const float M = *positive_float_of_exponent(-40, 10);
  const float product = static_cast<float>(acc) * M;
  const double q = std::nearbyint(static_cast<double>(product)) + y.zero_point;
  RC_ASSERT(requantize_onnx(acc, M, y) == std::clamp<double>(q, y.lo, y.hi));
}

TEST(OnnxMultiplier, IsInFloat32InTheStatedOrder) {
  // (s_x·s_w)/s_y: the product underflows to zero before s_y divides it.
  EXPECT_EQ(onnx_multiplier(1e-30F, 1e-30F, 1e-30F), 0.0F);
  EXPECT_EQ(onnx_multiplier(0.5F, 0.25F, 2.0F), 0.0625F);
  int differing = 0;
  for (int i = 1; i <= 100; ++i) {
    const auto s = static_cast<float>(i) / 77.0F;
    volatile float product = s * 0.1F;
    volatile float expected = product / 0.3F;
    EXPECT_EQ(onnx_multiplier(s, 0.1F, 0.3F), expected);
    differing += onnx_multiplier(s, 0.1F, 0.3F) != s * (0.1F / 0.3F);
  }
  EXPECT_GT(differing, 0);
}

TEST(ArithmeticNames, ReadBackAndUnknownOnesAreUsageErrors) {
  for (Arithmetic each : {Arithmetic::fixed, Arithmetic::shift, Arithmetic::onnx})
    EXPECT_EQ(arithmetic_from(name_of(each)), each);
  for (const char* name : {"", "Fixed", "float", "onnx "})
    EXPECT_THROW(arithmetic_from(name), UsageError) << name;
  EXPECT_EQ(message_of<UsageError>([] { arithmetic_from("float"); }),
            "[arithmetic] unknown mode, got 'float', expected fixed, shift or onnx");
}

}  // namespace
}  // namespace halftone::numeric
