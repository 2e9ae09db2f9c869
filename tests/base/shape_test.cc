#include "halftone/base/shape.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <limits>

#include "halftone/base/error.h"
#include "tests/base/message_of.h"

namespace halftone {
namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

TEST(Shape, CountsElements) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({7}), 7);
  EXPECT_EQ(element_count({1, 3, 32, 32}), 3072);
  EXPECT_EQ(element_count({0}), 0);
  EXPECT_EQ(element_count({3, 0, 5}), 0);
}

TEST(Shape, RefusesOneElementMoreThanTheLimit) {
  EXPECT_EQ(element_count({kMaxElements}), kMaxElements);
  EXPECT_EQ(element_count({1 << 16, 1 << 16}), kMaxElements);
  EXPECT_THROW(element_count({kMaxElements + 1}), InputError);
  EXPECT_THROW(element_count({1 << 16, 1 << 16, 2}), InputError);
  EXPECT_THROW(element_count({(1 << 16) + 1, 1 << 16}), InputError);
}

TEST(Shape, RefusesProductsThatOverflowInt64) {
  EXPECT_THROW(element_count({kHuge}), InputError);
  EXPECT_THROW(element_count({kHuge, kHuge}), InputError);
  // 2^32·2^32 is 0 in 64 bits, 2^33·2^31 + wrap is small: neither passes as a small tensor.
  EXPECT_THROW(element_count({kMaxElements, kMaxElements}), InputError);
  EXPECT_THROW(element_count({std::int64_t{1} << 33, std::int64_t{1} << 31}), InputError);
}

TEST(Shape, AZeroDimensionGivesTheSameAnswerWhereverItStands) {
  const Shape shapes[] = {{0, kHuge, kHuge}, {kHuge, 0, kHuge}, {kHuge, kHuge, 0}};
  for (const Shape& shape : shapes) EXPECT_THROW(element_count(shape), InputError) << to_string(shape);
  EXPECT_THROW(element_count({0, -2}), InputError);
  EXPECT_THROW(element_count({-2, 0}), InputError);
}

TEST(Shape, RefusesNegativeAndDynamicDimensions) {
  EXPECT_THROW(element_count({-2}), InputError);
  EXPECT_THROW(element_count({2, kDynamic}), InputError);
  EXPECT_THROW(element_count({-2, -3}), InputError);
  EXPECT_THROW(element_count({std::numeric_limits<std::int64_t>::min()}), InputError);
}

TEST(Shape, ErrorsNameTheCallerAndTheShape) {
  EXPECT_EQ(message_of<InputError>([] {
              element_count({3, -2}, "conv1");
            }),
            "[conv1] negative dimension, got 3x-2");
  EXPECT_EQ(message_of<InputError>([] {
              element_count({65536, 65537}, "conv1");
            }),
            "[conv1] too many elements, got shape 65536x65537, expected at most 4294967296 elements");
}

TEST(Shape, IsStaticWithoutADynamicDimension) {
  EXPECT_TRUE(is_static({}));
  EXPECT_TRUE(is_static({0, 3}));
  EXPECT_FALSE(is_static({kDynamic}));
  EXPECT_FALSE(is_static({3, kDynamic, 4}));
}

RC_GTEST_PROP(Shape, ProductOfTwoPartsIsTheCount, ()) {
  const auto shape = *rc::gen::container<Shape>(rc::gen::inRange<std::int64_t>(0, 8));
  RC_PRE(shape.size() <= 6);
  const auto cut = *rc::gen::inRange<std::size_t>(0, shape.size() + 1);
  RC_ASSERT(product(shape, 0, cut) * product(shape, cut, shape.size()) == element_count(shape));
  RC_ASSERT(product(shape, cut, cut) == 1);
}

TEST(Shape, AxesCountFromEitherEnd) {
  for (std::size_t rank = 1; rank <= 5; ++rank) {
    const auto n = static_cast<std::int64_t>(rank);
    for (std::int64_t axis = 0; axis < n; ++axis) {
      EXPECT_EQ(normalize_axis(axis, rank, "t"), axis);
      EXPECT_EQ(normalize_axis(axis - n, rank, "t"), axis);
    }
    EXPECT_THROW(normalize_axis(n, rank, "t"), InputError);
    EXPECT_THROW(normalize_axis(-n - 1, rank, "t"), InputError);
  }
  EXPECT_THROW(normalize_axis(0, 0, "t"), InputError);
  EXPECT_THROW(normalize_axis(-1, 0, "t"), InputError);
  EXPECT_THROW(normalize_axis(kHuge, 3, "t"), InputError);
  EXPECT_THROW(normalize_axis(std::numeric_limits<std::int64_t>::min(), 3, "t"), InputError);
}

TEST(Shape, AxisErrorsSayWhatWasExpected) {
  EXPECT_EQ(message_of<InputError>([] { normalize_axis(4, 4, "softmax"); }),
            "[softmax] axis outside the shape, got 4, expected -4 to 3");
}

TEST(Shape, Text) {
  EXPECT_EQ(to_string(Shape{}), "scalar");
  EXPECT_EQ(to_string(Shape{5}), "5");
  EXPECT_EQ(to_string(Shape{kDynamic, 3, 0, 32}), "Nx3x0x32");
}

}  // namespace
}  // namespace halftone
