#include "halftone/qat/row_order.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>

namespace halftone::qat {
namespace {

RC_GTEST_PROP(RandomRowOrder, IsAPermutation, (std::uint64_t seed)) {
  const auto count = *rc::gen::inRange<std::int64_t>(0, 200);
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> order = random_row_order(count, random);
  std::ranges::sort(order);
  RC_ASSERT(static_cast<std::int64_t>(order.size()) == count);
  for (std::size_t i = 0; i < order.size(); ++i) RC_ASSERT(order[i] == static_cast<std::int64_t>(i));
}

TEST(RandomRowOrder, IsAnotherOneEveryTime) {
  std::mt19937_64 random(1);
  const auto first = random_row_order(100, random);
  EXPECT_NE(first, random_row_order(100, random));
  std::mt19937_64 again(1);
  EXPECT_EQ(first, random_row_order(100, again));
}

TEST(RandomRowOrder, SendsEveryRowEverywhereEquallyOften) {
  constexpr int kRounds = 24000;
  std::mt19937_64 random(1);
  std::array<std::array<int, 4>, 4> counts{};
  for (int round = 0; round < kRounds; ++round) {
    const auto order = random_row_order(4, random);
    for (std::size_t place = 0; place < 4; ++place) ++counts[place][static_cast<std::size_t>(order[place])];
  }
  // 6000 expected, deviation √(24000·3/16) = 67: five of them.
  for (const auto& place : counts)
    for (int count : place) EXPECT_NEAR(count, kRounds / 4, 335);
}

}  // namespace
}  // namespace halftone::qat
