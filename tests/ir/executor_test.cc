// Outputs seen element by element, put in order.
#include "halftone/ir/executor.h"

#include <gtest/gtest.h>

#include <numeric>

namespace halftone::ir {
namespace {

std::optional<std::vector<float>> ordered(const Shape& shape, const std::vector<float>& elements, int block) {
  const auto tensor = tensor_of({.output = 0, .elements = elements, .shape = shape, .channel_block = block});
  if (!tensor) return std::nullopt;
  EXPECT_EQ(tensor->shape(), shape);
  return std::vector<float>(tensor->data<float>().begin(), tensor->data<float>().end());
}

TEST(TensorOf, PutsBlocksOfChannelsInOrder) {
  // Two images of four channels of three pixels, two channels a block: (n, c / 2, pixel, c % 2).
  const std::vector<float> blocked{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, 12, 15, 13, 16, 14, 17, 18, 21, 19, 22, 20, 23};
  std::vector<float> rows(24);
  std::iota(rows.begin(), rows.end(), 0.0F);
  EXPECT_EQ(ordered({2, 4, 3, 1}, blocked, 2), rows);
  EXPECT_EQ(ordered({2, 4, 3, 1}, rows, 1), rows);
}

TEST(TensorOf, TakesAnEmptyOutput) {
  EXPECT_EQ(ordered({2, 4, 0}, {}, 2), std::vector<float>{});
  EXPECT_EQ(ordered({0, 4, 3}, {}, 4), std::vector<float>{});
}

TEST(TensorOf, GivesNothingForAnOrderWithoutAName) { EXPECT_EQ(ordered({1, 2}, {1, 2}, 0), std::nullopt); }

}  // namespace
}  // namespace halftone::ir
