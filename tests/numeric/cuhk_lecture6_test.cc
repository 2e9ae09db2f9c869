// From 'CUHK lecture 6' (CENG 4480, Lec 06: Quantization, 2024 Fall): its examples, recomputed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "halftone/numeric/affine.h"
#include "halftone/numeric/binary_text.h"
#include "halftone/numeric/multiplier.h"
#include "halftone/numeric/requantize.h"

namespace halftone::numeric {
namespace {

using testing::ElementsAre;
using Values = std::vector<std::int32_t>;

constexpr IntegerFormat kFull{8, true, false};
constexpr IntegerFormat kNarrow{8, true, true};

Values quantize_all(const std::vector<float>& reals, const Affine& affine, const IntegerFormat& format) {
  Values result;
  for (float r : reals) result.push_back(quantize(r, affine, format));
  return result;
}

std::int64_t dot(const Values& a, const Values& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::int64_t{a[i]} * b[i];
  return sum;
}

// CUHK lecture 6, integers in hexadecimal and 4-bit two's complement. The slide writes 0xFFFFFFFFC to
// 0xFFFFFFFFF with one F too many: nine digits for 32 bits.
TEST(CuhkLecture6, TwosComplement) {
  EXPECT_EQ(hex_text(9, 32), "0x00000009");
  EXPECT_EQ(hex_text(-4, 32), "0xfffffffc");
  EXPECT_EQ(hex_text(-1, 32), "0xffffffff");
  const char* texts[] = {"1000", "1001", "1010", "1011", "1100", "1101", "1110", "1111",
                         "0000", "0001", "0010", "0011", "0100", "0101", "0110", "0111"};
  for (int q = -8; q <= 7; ++q) EXPECT_EQ(binary_text(q, 4, 0), texts[q + 8]) << q;
  // "complement all the bits and add a 1".
  for (int q = -7; q <= 7; ++q) EXPECT_EQ(binary_text(-q, 4, 0), binary_text(~q + 1, 4, 0));
}

// CUHK lecture 6, the Qm.n table: three unsigned bits with s = 1, 1/4 and 4. (Its fourth column, s = 1.5 with
// the real bias 10, has no integer zero point, so real zero would not be exact: not a format here.)
TEST(CuhkLecture6, SlopesOfThreeBits) {
  const IntegerFormat three{3, false, false};
  for (float s : {1.0F, 0.25F, 4.0F})
    for (std::int32_t q = three.qmin(); q <= three.qmax(); ++q) {
      EXPECT_EQ(dequantize(q, {s, 0}), static_cast<float>(q) * s);
      EXPECT_EQ(quantize(static_cast<float>(q) * s, {s, 0}, three), q);
    }
  EXPECT_EQ(three.qmax(), 7);
  EXPECT_EQ(dequantize(0b011, fixed_point(2)), 0.75F);
  EXPECT_EQ(dequantize(0b111, fixed_point(2)), 1.75F);
  EXPECT_EQ(dequantize(0b111, fixed_point(-2)), 28.0F);
  EXPECT_EQ(dequantize(0b101, fixed_point(0)), 5.0F);
  EXPECT_EQ(binary_text(0b101, 4, 2), "01.01");
  EXPECT_EQ(binary_text(0b101, 4, -2), "010100");
}

// CUHK lecture 6, "Symmetric vs. Asymmetric: Z = 0?": symmetric maps to the restricted [−127, 127],
// asymmetric to the full [−128, 127].
TEST(CuhkLecture6, SymmetricAndAsymmetric) {
  const Affine symmetric = affine_from_range({-0.5, 1.5}, kNarrow, Scheme::symmetric);
  EXPECT_EQ(symmetric.zero_point, 0);
  EXPECT_EQ(quantize(1.5F, symmetric, kNarrow), 127);
  EXPECT_EQ(quantize(-1.5F, symmetric, kNarrow), -127);
  EXPECT_EQ(quantize(-0.5F, symmetric, kNarrow), -42);  // a third of the codes is not used
  const Affine asymmetric = affine_from_range({-0.5, 1.5}, kFull, Scheme::asymmetric);
  EXPECT_EQ(asymmetric.zero_point, -64);  // −128 + 0.5·255/2 = −64.25
  EXPECT_EQ(quantize(-0.5F, asymmetric, kFull), -128);
  EXPECT_EQ(quantize(1.5F, asymmetric, kFull), 127);
}

// CUHK lecture 6, "Q(r) = Int(r/S) − Z, r̂ = S(Q(r) + Z)": its Z is our zero point with the other sign.
TEST(CuhkLecture6, TheSignOfTheZeroPoint) {
  const Affine affine{0.5F, 3};
  const int Z = -affine.zero_point;
  for (int i = -40; i <= 40; ++i) {
    const float r = static_cast<float>(i) / 8.0F;
    const std::int32_t q = quantize(r, affine, kFull);
    EXPECT_EQ(q, static_cast<std::int32_t>(std::nearbyint(r / 0.5F)) - Z);
    EXPECT_EQ(dequantize(q, affine), 0.5F * static_cast<float>(q + Z));
  }
}

// CUHK lecture 6, "Minimum quantized value": the restricted range leaves 1 code of 256 and 1 of 16 unused; in
// the full one what would be 128 clips to 127. (The slides' scales 127/α and 128/α are the reciprocals of
// ours.)
TEST(CuhkLecture6, MinimumQuantizedValue) {
  const auto codes = [](const IntegerFormat& format) { return format.qmax() - format.qmin() + 1; };
  EXPECT_EQ(codes(kNarrow), 256 - 1);
  EXPECT_EQ(codes({4, true, true}), 16 - 1);
  EXPECT_EQ(affine_from_range({-2, 2}, kNarrow, Scheme::symmetric).scale, static_cast<float>(2.0 / 127));
  EXPECT_EQ(affine_from_range({-2, 2}, kFull, Scheme::symmetric).scale, 2.0F / 128);
  EXPECT_EQ(quantize(2.0F, affine_from_range({-2, 2}, kFull, Scheme::symmetric), kFull), 127);
}

// CUHK lecture 6, "Example of quantization bias": A·B = 0, but over [−128, 127] the integers give −127,
// dequantized −0.00853.
TEST(CuhkLecture6, FullRangeIsBiased) {
  const Affine a = affine_from_range({-2.2F, 2.2F}, kFull, Scheme::symmetric);
  const Affine b = affine_from_range({0.3F, 0.5F}, kFull, Scheme::symmetric);
  const Values q_a = quantize_all({-2.2F, -1.1F, 1.1F, 2.2F}, a, kFull);
  const Values q_b = quantize_all({0.5F, 0.3F, 0.3F, 0.5F}, b, kFull);
  EXPECT_THAT(q_a, ElementsAre(-128, -64, 64, 127));
  EXPECT_THAT(q_b, ElementsAre(127, 77, 77, 127));
  EXPECT_EQ(dot(q_a, q_b), -127);
  EXPECT_NEAR(-127 * static_cast<double>(a.scale) * static_cast<double>(b.scale), -0.00853, 5e-6);
}

// CUHK lecture 6, the same over [−127, 127]: exactly 0.
TEST(CuhkLecture6, RestrictedRangeIsNot) {
  const Affine a = affine_from_range({-2.2F, 2.2F}, kNarrow, Scheme::symmetric);
  const Affine b = affine_from_range({0.3F, 0.5F}, kNarrow, Scheme::symmetric);
  const Values q_a = quantize_all({-2.2F, -1.1F, 1.1F, 2.2F}, a, kNarrow);
  const Values q_b = quantize_all({0.5F, 0.3F, 0.3F, 0.5F}, b, kNarrow);
  EXPECT_THAT(q_a, ElementsAre(-127, -64, 64, 127));  // ±63.5 are ties, to even
  EXPECT_THAT(q_b, ElementsAre(127, 76, 76, 127));
  EXPECT_EQ(dot(q_a, q_b), 0);
}

// CUHK lecture 6, "Matrix multiply example": ranges [−2, 2] and [−1, 1], scales 63.5 and 127 (ours are 1 over
// these). The slide's integers hold: 0.26·63.5 = 16.51 is 17 and 0.51·127 = 64.77 is 65. Its real product
// −0.423 is −0.4225.
TEST(CuhkLecture6, MatrixMultiply) {
  const Affine a = affine_from_range({-2, 2}, kNarrow, Scheme::symmetric);
  const Affine b = affine_from_range({-1, 1}, kNarrow, Scheme::symmetric);
  const Values first = quantize_all({-1.54F, 0.22F}, a, kNarrow);
  const Values second = quantize_all({-0.26F, 0.65F}, a, kNarrow);
  const Values column = quantize_all({0.35F, -0.51F}, b, kNarrow);
  EXPECT_THAT(first, ElementsAre(-98, 14));
  EXPECT_THAT(second, ElementsAre(-17, 41));
  EXPECT_THAT(column, ElementsAre(44, -65));
  EXPECT_EQ(dot(first, column), -5222);
  EXPECT_EQ(dot(second, column), -3413);
  const double s = static_cast<double>(a.scale) * static_cast<double>(b.scale);
  EXPECT_NEAR(-5222 * s, -0.648, 5e-4);
  EXPECT_NEAR(-3413 * s, -0.423, 5e-4);
  EXPECT_DOUBLE_EQ(-0.26 * 0.35 + 0.65 * -0.51, -0.4225);
}

// CUHK lecture 6, "Requantize": to the range [−3, 3] the two sums −27.41 and −17.92 become −27 and −18, in
// every mode.
TEST(CuhkLecture6, Requantize) {
  const float s_a = affine_from_range({-2, 2}, kNarrow, Scheme::symmetric).scale;
  const float s_b = affine_from_range({-1, 1}, kNarrow, Scheme::symmetric).scale;
  const float s_y = affine_from_range({-3, 3}, kNarrow, Scheme::symmetric).scale;
  const OutputBounds bounds{0, -127, 127};
  for (int bits : {8, 16, 32}) {
    const Multiplier M = multiplier_from(real_multiplier(s_a, s_b, s_y), bits);
    EXPECT_EQ(requantize_fixed(-5222, M.m, M.shift(), bounds, Rounding::half_even), -27) << bits;
    EXPECT_EQ(requantize_fixed(-3413, M.m, M.shift(), bounds, Rounding::half_even), -18) << bits;
  }
  EXPECT_EQ(requantize_onnx(-5222, onnx_multiplier(s_a, s_b, s_y), bounds), -27);
  EXPECT_EQ(requantize_onnx(-3413, onnx_multiplier(s_a, s_b, s_y), bounds), -18);
}

// CUHK lecture 6, after Qiu et al. (FPGA 2016): n = Σ B_i·2^(−fl)·2^i over the bits of a fixed-point number.
// The formula is of an unsigned word; in two's complement the top bit weighs −2^(bw−1).
TEST(CuhkLecture6, FixedPointValueOfQiu) {
  for (int bw = 1; bw <= 8; ++bw)
    for (int fl : {-2, 0, 1, bw - 1, bw, bw + 3})
      for (int q = -(1 << (bw - 1)); q < 1 << (bw - 1); ++q) {
        const std::string bits = binary_text(q, bw, 0);
        double n = 0;
        for (int i = 0; i < bw; ++i) {
          const int B_i = bits[static_cast<std::size_t>(bw - 1 - i)] - '0';
          n += (i == bw - 1 ? -B_i : B_i) * std::ldexp(1.0, -fl) * std::ldexp(1.0, i);
        }
        ASSERT_EQ(dequantize(q, fixed_point(fl)), n) << bits << " fl " << fl;
      }
}

// CUHK lecture 6, PACT: y_q = round(y·(2^k − 1)/α)·α/(2^k − 1) over [0, α] is the symmetric unsigned format.
TEST(CuhkLecture6, Pact) {
  for (int k = 1; k <= 8; ++k) {
    const IntegerFormat format{k, false, false};
    const Affine affine = affine_from_range({0, 6}, format, Scheme::symmetric);
    const double steps = std::ldexp(1.0, k) - 1;
    EXPECT_EQ(affine.scale, static_cast<float>(6 / steps));
    for (int i = 0; i <= 60; ++i) {
      const double y = i / 10.0 + 0.013;  // no ties
      const double y_q = std::nearbyint(std::min(y, 6.0) * steps / 6) * 6 / steps;
      EXPECT_NEAR(dequantize(quantize(static_cast<float>(y), affine, format), affine), y_q, 1e-6)
          << k << " " << y;
    }
    EXPECT_EQ(quantize(-1.0F, affine, format), 0);
    EXPECT_EQ(quantize(7.0F, affine, format), format.qmax());
  }
}

}  // namespace
}  // namespace halftone::numeric
