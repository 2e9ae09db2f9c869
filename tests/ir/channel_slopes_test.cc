// Which PRelus are a function of one variable for each channel.
#include "halftone/ir/channel_slopes.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

using testing::ElementsAre;
using testing::Optional;

std::optional<std::vector<float>> slopes_of(const Tensor& slope, const Shape& x) {
  return channel_slopes(&slope, x);
}

TEST(ChannelSlopes, AreOneOrOneForEachIndexOfDimensionOne) {
  const Shape x{kDynamic, 3, 4, 5};
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{1, 1, 1, 1}})
    EXPECT_THAT(slopes_of(floats(shape, {2}), x), Optional(ElementsAre(2))) << to_string(shape);
  for (const Shape& shape : {Shape{3, 1, 1}, Shape{1, 3, 1, 1}})
    EXPECT_THAT(slopes_of(floats(shape, {1, 2, 3}), x), Optional(ElementsAre(1, 2, 3))) << to_string(shape);
  EXPECT_THAT(slopes_of(floats({3}, {1, 2, 3}), {kDynamic, 3}), Optional(ElementsAre(1, 2, 3)));
}

TEST(ChannelSlopes, AreNoneAlongAnotherDimension) {
  EXPECT_FALSE(slopes_of(floats({3}, {1, 2, 3}), {2, 3, 3}));
  EXPECT_FALSE(slopes_of(floats({3}, {1, 2, 3}), {3}));
  EXPECT_FALSE(slopes_of(floats({3, 1}, {1, 2, 3}), {3, 2}));
  EXPECT_FALSE(slopes_of(floats({2, 2}, {1, 2, 3, 4}), {1, 2, 2}));
  EXPECT_FALSE(slopes_of(floats({1, 1, 1}, {1}), {2, 2}));
}

TEST(ChannelSlopes, AreNoneWithoutNumbers) {
  EXPECT_FALSE(channel_slopes(nullptr, {2, 3}));
  EXPECT_FALSE(slopes_of(floats({0}, {}), {2, 0}));
  EXPECT_FALSE(slopes_of(floats({2}, {1, NAN}), {3, 2}));
  EXPECT_FALSE(slopes_of(Tensor::from<double>({}, std::vector<double>{1}), {3, 2}));
}

}  // namespace
}  // namespace halftone::ir
