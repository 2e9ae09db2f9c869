// From 'AOC lab 2' (AOC 2024 Spring, Lab 2 Quantization, a student report): its answers, recomputed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/tensor.h"
#include "halftone/numeric/affine.h"
#include "halftone/numeric/binary_text.h"
#include "halftone/numeric/multiplier.h"
#include "halftone/numeric/quant_params.h"
#include "halftone/numeric/requantize.h"

namespace halftone::numeric {
namespace {

// M = M0·2^−n, M0 in [0.5, 1), before M0 becomes an integer.
struct Normalised {
  double M0;
  int n;
};
Normalised normalise(double M) {
  int exponent = 0;
  const double M0 = std::frexp(M, &exponent);
  return {M0, -exponent};
}

// AOC lab 2, section 2.1: 50 MB of float32 parameters are 12.5 MB of int8.
TEST(AocLab2, ModelSize) {
  constexpr std::int64_t kMegabyte = 1'000'000;
  const std::int64_t parameters = 50 * kMegabyte / static_cast<std::int64_t>(size_of(DType::float32));
  EXPECT_EQ(parameters, 12'500'000);
  EXPECT_EQ(parameters * static_cast<std::int64_t>(size_of(storage_dtype({8, true, false}))),
            25 * kMegabyte / 2);
  const Tensor real(DType::float32, {1000, 3});
  EXPECT_EQ(quantize(real, QuantParams{}).byte_size() * 4, real.byte_size());
}

// AOC lab 2, section 2.2: M = 0.2 is M0 = 0.8, n = 2.
TEST(AocLab2, ScalingFactor) {
  EXPECT_EQ(normalise(0.2).M0, 0.8);
  EXPECT_EQ(normalise(0.2).n, 2);
  for (int bits : {8, 16, 32}) {
    const Multiplier multiplier = multiplier_from(0.2, bits);
    EXPECT_EQ(multiplier.n, 2);
    EXPECT_EQ(multiplier.m, std::llround(std::ldexp(0.8, bits - 1)));
  }
  EXPECT_EQ(multiplier_from(0.2, 8).m, 102);
}

// AOC lab 2, section 2.3.1: IntRepr(M0) = ⌊2^(B−1)·M0⌉ of M0 in [0.5, 1) lies in [01000000, 10000000) for B
// = 8.
TEST(AocLab2, IntegerRepresentationOfANormalisedMultiplier) {
  EXPECT_EQ(binary_text(multiplier_from(0.5, 8).m, 8, 0), "01000000");
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t m = multiplier_from(0.5 + i / 2000.0, 8).m;
    ASSERT_GE(m, 0b01000000);
    ASSERT_LT(m, 0b10000000);
  }
}

// AOC lab 2, section 2.3.1: at 8 bits 0.064453125 and 0.0625 are one integer unless M is normalised. By the
// document's own formula that integer is ⌊8.25⌉ = 8 = 00001000; it prints 00010000, which is ⌊2^8·M⌉, one
// fraction bit more.
TEST(AocLab2, WithoutNormalisationTwoMultipliersAreOne) {
  const auto integer = [](double M, int fraction_bits) {
    return static_cast<std::int64_t>(round_real(std::ldexp(M, fraction_bits), Rounding::half_even));
  };
  EXPECT_EQ(integer(0.064453125, 7), 8);
  EXPECT_EQ(integer(0.0625, 7), 8);
  EXPECT_EQ(binary_text(8, 8, 0), "00001000");
  EXPECT_EQ(binary_text(integer(0.064453125, 8), 8, 0), "00010000");  // 16.5, a tie, to 16
  EXPECT_EQ(binary_text(integer(0.0625, 8), 8, 0), "00010000");
}

// AOC lab 2, section 2.3.1: normalised (n = 3) they differ. By the document's formula they are 66 = 01000010
// and 64 = 01000000; it prints nine digits, 010000010 and 010000000, which are again ⌊2^8·M0⌉ = 130 and 128.
TEST(AocLab2, WithNormalisationTheyDiffer) {
  EXPECT_EQ(multiplier_from(0.064453125, 8), (Multiplier{66, 3, 8}));
  EXPECT_EQ(multiplier_from(0.0625, 8), (Multiplier{64, 3, 8}));
  EXPECT_EQ(multiplier_from(0.064453125, 8).real(), 0.064453125);
  EXPECT_EQ(binary_text(66, 8, 0), "01000010");
  EXPECT_EQ(binary_text(130, 9, 0), "010000010");
  EXPECT_EQ(binary_text(128, 9, 0), "010000000");
  EXPECT_NE(requantize_fixed(1000, 66, 10, {}, Rounding::half_even),
            requantize_fixed(1000, 64, 10, {}, Rounding::half_even));
}

// AOC lab 2, section 2.3.3: Saturate(x) = min(max(x, a), b), for uint8 a = 0, b = 255.
TEST(AocLab2, Saturate) {
  const IntegerFormat uint8{8, false, false};
  EXPECT_EQ(uint8.qmin(), 0);
  EXPECT_EQ(uint8.qmax(), 255);
  for (std::int64_t x :
       {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0}, std::int64_t{1},
        std::int64_t{254}, std::int64_t{255}, std::int64_t{256}, std::numeric_limits<std::int64_t>::max()})
    EXPECT_EQ(saturate(x, 0, 255), std::min<std::int64_t>(std::max<std::int64_t>(x, 0), 255)) << x;
}

// AOC lab 2, figures 1 and 2: scale = (fp_max − fp_min)/(q_max − q_min), zero_point = q_min − fp_min/scale,
// and q = round(x/scale) + zero_point. The document leaves its zero point a real number, and so real zero
// inexact.
TEST(AocLab2, ScaleAndZeroPoint) {
  const IntegerFormat uint8{8, false, false};
  const Affine affine = affine_from_range({-1.0, 2.0}, uint8, Scheme::asymmetric);
  EXPECT_EQ(affine.scale, static_cast<float>(3.0 / 255));
  EXPECT_EQ(affine.zero_point, 85);
  EXPECT_EQ(quantize(-1.0F, affine, uint8), 0);
  EXPECT_EQ(quantize(2.0F, affine, uint8), 255);
  EXPECT_EQ(quantize(0.5F, affine, uint8), 127);  // round(42.5) + 85: to even before the zero point is added
  EXPECT_EQ(affine_from_range({-1.0, 2.01}, uint8, Scheme::asymmetric).zero_point,
            85);  // the document's is 84.72
}

// AOC lab 2, figure 3: the linear layer on centred integers, then times M = s_x·s_w/s_y, then + z_y.
TEST(AocLab2, QuantizedLinearLayer) {
  const Affine x{0.02F, 100};
  const Affine w{0.01F, -3};
  const Affine y{0.05F, 20};
  const std::int32_t q_x[] = {130, 90, 255};
  const std::int32_t q_w[] = {-50, 120, 7};
  std::int64_t acc = 0;
  double real = 0;
  for (int i = 0; i < 3; ++i) {
    acc += std::int64_t{q_x[i] - x.zero_point} * (q_w[i] - w.zero_point);
    real += static_cast<double>(dequantize(q_x[i], x)) * static_cast<double>(dequantize(q_w[i], w));
  }
  EXPECT_EQ(acc, 30 * -47 + -10 * 123 + 155 * 10);
  const Multiplier M = multiplier_from(real_multiplier(x.scale, w.scale, y.scale), 32);
  const std::int32_t q_y = requantize_fixed(acc, M.m, M.shift(), {20, 0, 255}, Rounding::half_even);
  EXPECT_EQ(q_y, quantize(static_cast<float>(real), y, {8, false, false}));
  EXPECT_EQ(q_y, 16);  // −1090·0.004 = −4.36
}

}  // namespace
}  // namespace halftone::numeric
