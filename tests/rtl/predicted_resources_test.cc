// The prediction, by numbers worked out by hand and the order that it has to keep.
#include "halftone/rtl/predicted_resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"

namespace halftone::rtl {
namespace {

TEST(PredictedResources, CountMultipliers) {
  ArrayGeometry g{.rows = 32, .cols = 13, .pair = true, .lanes = 8, .acc_width = 24, .mantissa = 16};
  EXPECT_EQ(predicted_resources(g).dsp, 208 + 8);
  g.mantissa = 32;
  EXPECT_EQ(predicted_resources(g).dsp, 208 + 16);
  g.acc_width = 26;
  EXPECT_EQ(predicted_resources(g).dsp, 208 + 32);
  EXPECT_EQ(predicted_resources({.rows = 4, .cols = 4, .bits = 4, .lanes = 2, .acc_width = 16}).dsp, 2);
  EXPECT_EQ(predicted_resources({.rows = 16, .cols = 9, .lanes = 4, .acc_width = 24, .a_part = 17, .b_part = 17}).dsp, 144 + 8);
}

TEST(PredictedResources, GrowWithTheArray) {
  for (int bits : {8, 4, 2, 1}) {
    const ArrayGeometry small{.rows = 4, .cols = 4, .bits = bits, .acc_width = 20}, large{.rows = 6, .cols = 4, .bits = bits, .acc_width = 20};
    EXPECT_LT(predicted_resources(small).lut, predicted_resources(large).lut) << bits;
    EXPECT_LT(predicted_resources(small).ff, predicted_resources(large).ff) << bits;
  }
}

TEST(PredictedResources, NameTheLargestThatFits) {
  const ArrayGeometry asked{.rows = 64, .cols = 64, .pair = true, .lanes = 8, .acc_width = 24};
  const ArrayGeometry fits = largest_that_fits(asked, device("xc7z020"));
  EXPECT_TRUE(excess_of(device("xc7z020"), predicted_resources(fits)).empty());
  EXPECT_GE(fits.products(), 400);
  EXPECT_EQ(fits.rows % 8, 0);
  EXPECT_THAT([] { largest_that_fits({.rows = 128, .cols = 1, .lanes = 128, .mantissa = 32}, device("xc7z010")); },
              testing::ThrowsMessage<UsageError>(testing::HasSubstr("holds no array with 128 requantizers")));
}

}  // namespace
}  // namespace halftone::rtl
