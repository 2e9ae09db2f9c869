// From 'Lab 6' (a student report on 8-bit fixed point, 2024): its numbers, and what went wrong in them.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "halftone/numeric/affine.h"
#include "halftone/numeric/binary_text.h"
#include "halftone/numeric/format.h"
#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

constexpr IntegerFormat kWord8{8, true, false};
constexpr IntegerFormat kWord16{16, true, false};

IntegerFormat word(int wl) { return {wl, true, false}; }

// Lab 6: "3.324 as wl = 8, fl = 4".
TEST(Lab6, FirstExample) {
  const std::int32_t q = quantize(3.324F, fixed_point(4), kWord8);
  EXPECT_EQ(q, 53);
  EXPECT_EQ(binary_text(q, 8, 4), "0011.0101");
  EXPECT_EQ(dequantize(q, fixed_point(4)), 3.3125F);
}

// Lab 6: "float32 from -8.0 to 7.9375 can be represented as int8 from -128 to 127".
TEST(Lab6, RangeOfQ8_4) {
  EXPECT_EQ(dequantize(-128, fixed_point(4)), -8.0F);
  EXPECT_EQ(dequantize(127, fixed_point(4)), 7.9375F);
  EXPECT_EQ(quantize(-100.0F, fixed_point(4), kWord8), -128);
  EXPECT_EQ(quantize(100.0F, fixed_point(4), kWord8), 127);
  EXPECT_EQ(quantize(-8.0F, fixed_point(4), kWord8), -128);
  EXPECT_EQ(quantize(7.9375F, fixed_point(4), kWord8), 127);
}

// Lab 6: binary representations of 7.9375 and −8. The document prints 11111000.0000 for −8, eight digits
// before the point of which the first four only repeat the sign: an 8-bit word has four.
TEST(Lab6, BinaryRepresentation) {
  EXPECT_EQ(binary_text(quantize(7.9375F, fixed_point(4), kWord8), 8, 4), "0111.1111");
  EXPECT_EQ(binary_text(quantize(-8.0F, fixed_point(4), kWord8), 8, 4), "1000.0000");
}

// Lab 6: fixed_point_quantize's two ranges. Its flag `symmetric=True` chooses the full range [−8, 7.9375] and
// `symmetric=False` the restricted [−7.9375, 7.9375]: the two names stand the wrong way round. `narrow` is
// the latter.
TEST(Lab6, FullAndRestrictedRange) {
  EXPECT_EQ(dequantize(quantize(-9.0F, fixed_point(4), {8, true, false}), fixed_point(4)), -8.0F);
  EXPECT_EQ(dequantize(quantize(-9.0F, fixed_point(4), {8, true, true}), fixed_point(4)), -7.9375F);
  EXPECT_EQ(dequantize(quantize(9.0F, fixed_point(4), {8, true, true}), fixed_point(4)), 7.9375F);
}

// Lab 6, weight quantization: dequantize∘quantize is what a simulation has to run on. The report put the
// integers themselves back into the model as weights, 2^fl times too large, without scaling back.
RC_GTEST_PROP(Lab6, DequantizingScalesBack, ()) {
  const auto wl = *rc::gen::inRange(1, 9);
  const auto fl = *rc::gen::inRange(1, wl + 1);
  const float w = *float_of_exponent(-6, 3);
  const std::int32_t q = quantize(w, fixed_point(fl), word(wl));
  const float back = dequantize(q, fixed_point(fl));
  RC_ASSERT(static_cast<float>(q) == std::ldexp(back, fl));
  const double most = std::ldexp(1.0, wl - 1 - fl);
  if (w >= -most && w <= most - std::ldexp(1.0, -fl)) RC_ASSERT(std::fabs(back - w) <= std::ldexp(0.5, -fl));
}

// Lab 6, accuracy for wl = 1 to 8: the table stands still at 97.11 from wl = 4 on. The report never reset its
// best accuracy between word lengths, so fl = 4 of wl = 4 stayed the best; and weights within [−½, 7/16] have
// the same integers at fl = 4 for every wl >= 4, hence the same accuracy.
TEST(Lab6, WordLengthsThatShareTheirFractionShareTheirIntegers) {
  for (int i = -512; i <= 448; ++i) {
    const float w = static_cast<float>(i) / 1024.0F;
    for (int wl = 5; wl <= 8; ++wl)
      ASSERT_EQ(quantize(w, fixed_point(4), word(wl)), quantize(w, fixed_point(4), word(4)))
          << w << " wl " << wl;
  }
  // A finer fraction, which a search that starts afresh for each word length may choose, tells them apart.
  EXPECT_NE(dequantize(quantize(0.3F, fixed_point(7), word(8)), fixed_point(7)),
            dequantize(quantize(0.3F, fixed_point(4), word(4)), fixed_point(4)));
}

// Lab 6, clamp in the multiplier: keeping the low 8 bits makes 00001111'00110011 and 00000000'00110011 both
// 00110011; clamping gives 127 and 51. (The report calls them products of two int8; 0x0F33 = 3·1297 is not
// one, but a sum of products can be.)
TEST(Lab6, LowBitsCollapseWhereSaturatingDoesNot) {
  const std::int64_t large = 0b00001111'00110011;
  const std::int64_t small = 0b00000000'00110011;
  EXPECT_EQ(wrap(large, kWord8), 0b00110011);
  EXPECT_EQ(wrap(small, kWord8), 0b00110011);
  EXPECT_EQ(binary_text(large, 8, 0), "00110011");
  EXPECT_EQ(saturate(large, kWord8.qmin(), kWord8.qmax()), 127);
  EXPECT_EQ(saturate(small, kWord8.qmin(), kWord8.qmax()), 51);
  // A positive sum may even turn negative.
  EXPECT_EQ(wrap(0b00000000'10110011, kWord8), -77);
}

// Lab 6, `__int16 sum`: one product of int8 fits 16 bits, a few of them do not, and clamping the wrapped sum
// to int8 then has the wrong sign.
TEST(Lab6, A16BitAccumulatorWraps) {
  EXPECT_EQ(wrap(-128 * -128, kWord16), 16384);
  std::int64_t sum = 0;
  for (int i = 0; i < 3; ++i) sum = wrap(sum + -128 * -128, kWord16);
  EXPECT_EQ(sum, -16384);
  EXPECT_EQ(saturate(sum, -128, 127), -128);
  EXPECT_EQ(saturate(3 * 16384, -128, 127), 127);
}

}  // namespace
}  // namespace halftone::numeric
