// From 'HSD lab' (Hardware System Design, Quantization-aware Training, Spring 2023): its quantization
// function.
#include <gtest/gtest.h>

#include "halftone/numeric/affine.h"

namespace halftone::numeric {
namespace {

constexpr IntegerFormat kInt4{4, true, false};

float fake_quantize(float x, const Affine& affine, const IntegerFormat& format) {
  return dequantize(quantize(x, affine, format), affine);
}

// HSD lab: "INT4 Quantization (s = 0.5, off = 0, Qn = −8, Qp = 7)", q_x = clip([(x − off)/s], Qn, Qp)·s +
// off.
TEST(HsdLab, Int4) {
  EXPECT_EQ(kInt4.qmin(), -8);
  EXPECT_EQ(kInt4.qmax(), 7);
  const Affine half{0.5F, 0};
  EXPECT_EQ(fake_quantize(0.6F, half, kInt4), 0.5F);
  EXPECT_EQ(fake_quantize(0.75F, half, kInt4), 1.0F);   // 1.5 to even
  EXPECT_EQ(fake_quantize(1.25F, half, kInt4), 1.0F);   // 2.5 to even
  EXPECT_EQ(fake_quantize(-0.25F, half, kInt4), 0.0F);  // −0.5 to even
  EXPECT_EQ(fake_quantize(100.0F, half, kInt4), 3.5F);
  EXPECT_EQ(fake_quantize(-100.0F, half, kInt4), -4.0F);
}

// HSD lab: "In 4-bit quantization, the range of values is divided into 16 levels."
TEST(HsdLab, FourBitsAre16Levels) {
  int levels = 1;
  for (int i = -1000; i < 1000; ++i) {
    const auto at = [](int n) { return quantize(static_cast<float>(n) / 100.0F, {0.5F, 0}, kInt4); };
    levels += at(i) != at(i + 1);
  }
  EXPECT_EQ(levels, 16);
}

// HSD lab: α = max|x|, s = α/2^(bits−1): the full range, where +α clips to Qp.
TEST(HsdLab, StepFromTheLargestMagnitude) {
  for (int bits = 2; bits <= 8; ++bits) {
    const IntegerFormat format{bits, true, false};
    const Affine affine = affine_from_range({-1, 3}, format, Scheme::symmetric);
    EXPECT_EQ(affine.scale, 3.0F / static_cast<float>(1 << (bits - 1)));
    EXPECT_EQ(quantize(3.0F, affine, format), format.qmax());
    EXPECT_EQ(quantize(-3.0F, affine, format), format.qmin());
  }
}

}  // namespace
}  // namespace halftone::numeric
