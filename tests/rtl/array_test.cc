// Geometries, tilings and cycles of the array, by numbers worked out by hand.
#include "halftone/rtl/array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "halftone/rtl/array_cycles.h"
#include "halftone/rtl/checks/random_product.h"

namespace halftone::rtl {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

ArrayGeometry pairs(int lanes, int mantissa) { return {.rows = 32, .cols = 13, .pair = true, .lanes = lanes, .acc_width = 24, .mantissa = mantissa}; }

std::int64_t cycles(const ArrayGeometry& geometry, int bytes) { return predicted_cycles(with_memories_for(geometry, {}), {}, bytes); }

TEST(Array, RefusesWhatItsModulesRefuse) {
  EXPECT_THAT([] { check({.rows = 0}); }, ThrowsMessage<UsageError>(HasSubstr("array, got 0x8")));
  EXPECT_THAT([] { check({.rows = 7, .pair = true}); }, ThrowsMessage<UsageError>(HasSubstr("got 7 rows, expected an even number")));
  EXPECT_THAT([] { check({.bits = 4, .pair = true}); }, ThrowsMessage<UsageError>(HasSubstr("got 4 bits, expected 8")));
  EXPECT_THAT([] { check({.bits = 3}); }, ThrowsMessage<UsageError>(HasSubstr("bits, got 3")));
  EXPECT_THAT([] { check({.rows = 8, .lanes = 3}); }, ThrowsMessage<UsageError>(HasSubstr("lanes, got 3")));
  EXPECT_THAT([] { check({.acc_width = 16}); }, ThrowsMessage<UsageError>(HasSubstr("sums, got 16 bits, expected 17 to 32")));
  EXPECT_THAT([] { check({.mantissa = 12}); }, ThrowsMessage<UsageError>(HasSubstr("mantissa, got 12")));
  EXPECT_THAT([] { check({.rounding = numeric::Rounding::floor}); }, ThrowsMessage<UsageError>(HasSubstr("rounding, got floor")));
}

TEST(Array, TilesCoverTheProduct) {
  const Tiling tiling = tiling_of(pairs(8, 16), {});
  EXPECT_EQ(tiling.steps, 128);
  EXPECT_EQ(tiling.row_tiles, 2);
  EXPECT_EQ(tiling.col_tiles, 5);
  EXPECT_EQ(tiling_of({.rows = 8, .cols = 8, .bits = 2}, {.rows = 1, .depth = 5, .cols = 9}).steps, 2);
}

// The goals of 64x128x64, requantization included.
TEST(ArrayCycles, MeetTheirGoals) {
  EXPECT_LE(cycles(pairs(8, 16), 32), 1440);
  EXPECT_LE(cycles(pairs(8, 16), 16), 1800);
  EXPECT_LE(cycles({.rows = 16, .cols = 13, .lanes = 8, .acc_width = 24}, 32), 2700);
  EXPECT_LE(cycles({.rows = 32, .cols = 13, .bits = 4, .lanes = 16, .acc_width = 16}, 32), 800);
}

RC_GTEST_PROP(ArrayCycles, LieAboveTheBoundAndFallWithBytes, ()) {
  const int lanes = *rc::gen::inRange(1, 4);
  ArrayGeometry g{.rows = lanes * *rc::gen::inRange(1, 4), .cols = *rc::gen::inRange(1, 6), .bits = *rc::gen::element(8, 4, 2, 1), .lanes = lanes};
  const ProductShape shape{*rc::gen::inRange(1, 40), *rc::gen::inRange(1, 80), *rc::gen::inRange(1, 40)};
  g = with_memories_for(g, shape);
  const std::int64_t narrow = predicted_cycles(g, shape, 4), wide = predicted_cycles(g, shape, 64);
  RC_ASSERT(narrow >= bound_on_cycles(g, shape, 4));
  RC_ASSERT(wide >= bound_on_cycles(g, shape, 64));
  RC_ASSERT(wide <= narrow);
}

TEST(RandomProduct, FillsTheOutputsRange) {
  const ArrayGeometry g{.rows = 4, .cols = 4, .acc_width = 24};
  std::size_t inside = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Product product = random_product(g, {16, 64, 16}, static_cast<Numbers>(seed % 3), seed);
    for (std::int32_t y : expected_results(g, product)) {
      ++all;
      inside += y != product.bounds.lo && y != product.bounds.hi;
    }
  }
  EXPECT_GT(inside * 10, all);  // a tenth at least is decided by rounding
}

TEST(Product, RefusesNumbersThatDoNotFit) {
  const ArrayGeometry g = with_memories_for({.rows = 2, .cols = 2, .lanes = 1}, {2, 2, 1});
  Product product{.shape = {2, 2, 1}, .a = {1, 2, 3, 4}, .b = {5, 6}, .bias = {0}, .multiplier = {1 << 14}, .shift = {10}};
  EXPECT_NO_THROW(job_of(g, product));
  product.a[0] = 128;
  EXPECT_THAT([&] { job_of(g, product); }, ThrowsMessage<InputError>(HasSubstr("operand, got 128, expected 8 signed bits")));
  product.a[0] = -128;
  product.bias[0] = 1 << 23;
  EXPECT_THAT([&] { job_of(g, product); }, ThrowsMessage<InputError>(HasSubstr("bias of column 0")));
  product.bias[0] = -(1 << 23);
  product.multiplier[0] = 1 << 15;
  EXPECT_THAT([&] { job_of(g, product); }, ThrowsMessage<InputError>(HasSubstr("multiplier of column 0")));
}

}  // namespace
}  // namespace halftone::rtl
