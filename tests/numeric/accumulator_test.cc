#include "halftone/numeric/accumulator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/numeric/generators.h"

namespace halftone::numeric {
namespace {

// The largest |partial sum| over all inputs, all orders (a prefix of some order is any subset) and both
// forms.
std::int64_t largest_partial_sum(const std::vector<std::int32_t>& weights, std::int64_t bias,
                                 const IntegerFormat& x, std::int32_t zero_point) {
  std::int64_t folded = bias;
  for (std::int32_t w : weights) folded -= std::int64_t{zero_point} * w;
  std::int64_t largest = 0;
  std::vector<std::int32_t> q(weights.size(), x.qmin());
  for (;;) {
    for (unsigned subset = 0; subset < 1U << (weights.size() + 1); ++subset) {
      const bool with_bias = (subset & 1U) != 0;
      std::int64_t centred = with_bias ? bias : 0;
      std::int64_t raw = with_bias ? folded : 0;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        if ((subset >> (i + 1) & 1U) == 0) continue;
        centred += std::int64_t{q[i] - zero_point} * weights[i];
        raw += std::int64_t{q[i]} * weights[i];
      }
      largest = std::max({largest, std::abs(centred), std::abs(raw)});
    }
    std::size_t i = 0;
    while (i < q.size() && q[i] == x.qmax()) q[i++] = x.qmin();
    if (i == q.size()) return largest;
    ++q[i];
  }
}

struct Layer {
  std::vector<std::int32_t> weights;
  std::int64_t bias;
  IntegerFormat x;
  std::int32_t zero_point;
};
rc::Gen<Layer> tiny_layer() {
  return rc::gen::exec([] {
    auto x = *rc::gen::arbitrary<IntegerFormat>();
    x.bits = *rc::gen::inRange(x.narrow ? 2 : 1, 4);
    const auto size = *rc::gen::inRange<std::size_t>(0, 4);
    return Layer{*rc::gen::container<std::vector<std::int32_t>>(size, rc::gen::inRange(-9, 10)),
                 *rc::gen::inRange<std::int64_t>(-40, 41), x, *rc::gen::inRange(x.qmin(), x.qmax() + 1)};
  });
}

RC_GTEST_PROP(AccumulatorBound, NoPartialSumExceedsIt, ()) {
  const Layer l = *tiny_layer();
  RC_ASSERT(largest_partial_sum(l.weights, l.bias, l.x, l.zero_point) <=
            accumulator_bound(l.weights, l.bias, l.x, l.zero_point));
}

// The positive and the negative terms of the bound are each a partial sum.
RC_GTEST_PROP(AccumulatorBound, IsAtMostTwiceALargestPartialSum, ()) {
  const Layer l = *tiny_layer();
  RC_ASSERT(accumulator_bound(l.weights, l.bias, l.x, l.zero_point) <=
            2 * largest_partial_sum(l.weights, l.bias, l.x, l.zero_point));
}

// One sign of weights, and a bias that pulls the same way in either form: the bound is a partial sum itself.
RC_GTEST_PROP(AccumulatorBound, IsAttainedWhereEverythingPullsOneWay, ()) {
  Layer l = *tiny_layer();
  l.x = {l.x.bits, false, false};  // q_x >= 0
  l.zero_point = 0;
  for (std::int32_t& w : l.weights) w = std::abs(w);
  l.bias = std::abs(l.bias);
  RC_ASSERT(accumulator_bound(l.weights, l.bias, l.x, 0) == largest_partial_sum(l.weights, l.bias, l.x, 0));
  for (std::int32_t& w : l.weights) w = -w;
  RC_ASSERT(accumulator_bound(l.weights, -l.bias, l.x, 0) == largest_partial_sum(l.weights, -l.bias, l.x, 0));
}

TEST(AccumulatorBound, ByHand) {
  const std::vector<std::int32_t> weights{3, -5, 2};
  // uint8, z = 0: 255·10 + 7 in both forms.
  EXPECT_EQ(accumulator_bound(weights, 7, {8, false, false}, 0), 2557);
  // int8, z = 0: 128·10 + 7.
  EXPECT_EQ(accumulator_bound(weights, -7, {8, true, false}, 0), 1287);
  // uint8, z = 100: centred 155·10 + 7; folded 255·10 + |7 − 100·0|.
  EXPECT_EQ(accumulator_bound(weights, 7, {8, false, false}, 100), 2557);
}

TEST(AccumulatorBound, EitherFormCanBeTheLarger) {
  // Centred: 255·1. Folded: 128·1 + |0 + 128·1|.
  EXPECT_EQ(accumulator_bound(std::vector<std::int32_t>{1}, 0, {8, true, false}, -128), 256);
  // Weights that cancel leave nothing to fold: centred 255·2, folded 128·2 + 0.
  EXPECT_EQ(accumulator_bound(std::vector<std::int32_t>{1, -1}, 0, {8, true, false}, -128), 510);
  // Centred: 255·1. Folded: 255·1 + |0 − 255·1|.
  EXPECT_EQ(accumulator_bound(std::vector<std::int32_t>{1}, 0, {8, false, false}, 255), 510);
}

TEST(AccumulatorBound, NoWeightsLeaveTheBias) {
  EXPECT_EQ(accumulator_bound({}, 0, {8, true, false}, 0), 0);
  EXPECT_EQ(accumulator_bound({}, -9, {8, true, false}, 5), 9);
}

TEST(AccumulatorBound, TheLargestRowsDoNotOverflow) {
  // 2^17 weights of 16 bits that differ from their zero point by 65535, inputs of 16 bits.
  const std::vector<std::int32_t> weights(1 << 17, 65535);
  const std::int64_t bias = std::int64_t{1} << 30;
  const std::int64_t terms = std::int64_t{65535} * 65535 << 17;
  EXPECT_EQ(accumulator_bound(weights, bias, {16, false, false}, 0), terms + bias);
  EXPECT_GT(terms, kMaxAccumulator);
  EXPECT_EQ(accumulator_bound(weights, 0, {16, false, false}, 65535), 2 * terms);
}

TEST(SignedBitsFor, AreTheFewest) {
  EXPECT_EQ(signed_bits_for(0), 1);
  for (int bits = 2; bits <= 63; ++bits) {
    const std::int64_t most = (std::int64_t{1} << (bits - 1)) - 1;
    EXPECT_EQ(signed_bits_for(most), bits) << most;
    EXPECT_EQ(signed_bits_for(most / 2 + 1), bits) << most / 2 + 1;
  }
  EXPECT_EQ(signed_bits_for(127), 8);
  EXPECT_EQ(signed_bits_for(128), 9);
  EXPECT_EQ(signed_bits_for((std::int64_t{1} << 31) - 1), 32);
}

TEST(SignedBitsFor, TheLargestBoundTakes64) {
  EXPECT_EQ(signed_bits_for(std::int64_t{1} << 62), 64);
  EXPECT_EQ(signed_bits_for(std::numeric_limits<std::int64_t>::max()), 64);
}

}  // namespace
}  // namespace halftone::numeric
