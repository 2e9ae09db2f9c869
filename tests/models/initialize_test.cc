#include "halftone/models/initialize.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

namespace halftone::models {
namespace {

TEST(RandomWeights, AreTheSameOnEveryMachine) {
  std::mt19937_64 random(1);
  const Tensor weights = random_weights({2, 3}, Init::kaiming, random);
  // The first draw of mt19937_64 seeded with 1 is 2469588189546311528; bound = sqrt(2).
  const float unit = static_cast<float>(2469588189546311528ULL >> 40) * 0x1p-23F - 1.0F;
  EXPECT_EQ(weights.data<float>()[0], std::sqrt(2.0F) * unit);
}

RC_GTEST_PROP(RandomWeights, StayWithinTheBoundAndReachTowardsIt, (std::uint64_t seed)) {
  const auto outputs = *rc::gen::inRange<std::int64_t>(20, 60);
  const auto inputs = *rc::gen::inRange<std::int64_t>(20, 60);
  const auto kernel = *rc::gen::inRange<std::int64_t>(1, 4);
  const Init init = *rc::gen::element(Init::kaiming, Init::xavier);
  std::mt19937_64 random(seed);
  const Tensor weights = random_weights({outputs, inputs, kernel, kernel}, init, random);
  const double fan_in = static_cast<double>(inputs * kernel * kernel);
  const double fan_out = static_cast<double>(outputs * kernel * kernel);
  const double bound = std::sqrt(6.0 / (init == Init::kaiming ? fan_in : fan_in + fan_out));
  const auto [low, high] = std::ranges::minmax(weights.data<float>());
  RC_ASSERT(low >= static_cast<float>(-bound) && low < -0.9 * bound);
  RC_ASSERT(high <= static_cast<float>(bound) && high > 0.9 * bound);
}

TEST(RandomWeights, NormalOnesHaveMeanZeroAndTheDeviationOfTheirFanIn) {
  std::mt19937_64 random(7);
  const Tensor weights = random_weights({100, 50, 3, 3}, Init::kaiming_normal, random);
  const auto count = static_cast<double>(weights.size());
  const double deviation = std::sqrt(2.0 / (50 * 9));
  double sum = 0.0;
  double squares = 0.0;
  double within = 0.0;
  for (const float w : weights.data<float>()) {
    sum += w;
    squares += double{w} * w;
    within += std::fabs(w) < deviation ? 1.0 : 0.0;
  }
  // Five standard errors of each.
  EXPECT_NEAR(sum / count, 0.0, 5 * deviation / std::sqrt(count));
  EXPECT_NEAR(squares / count / (deviation * deviation), 1.0, 5 * std::sqrt(2.0 / count));
  EXPECT_NEAR(within / count, 0.676, 0.012);  // 0.683 for a true normal distribution
}

TEST(RandomWeights, NormalOnesAreTheSameOnEveryMachine) {
  std::mt19937_64 random(1);
  std::mt19937_64 again(1);
  std::int64_t sum = 0;
  for (int draw = 0; draw < 3; ++draw) {
    const std::uint64_t bits = again();
    for (int part = 0; part < 4; ++part) sum += static_cast<std::int64_t>(bits >> 16 * part & 0xFFFFU);
  }
  const float expected = std::sqrt(1.0F / 8) * (static_cast<float>(sum - 6 * 65535) * 0x1p-16F);
  EXPECT_EQ(random_weights({1, 16}, Init::kaiming_normal, random).data<float>()[0], expected);
}

TEST(RandomNear, StaysWithinTheSpread) {
  std::mt19937_64 random(3);
  const Tensor numbers = random_near(1000, 2.0F, 0.5F, random);
  const auto [low, high] = std::ranges::minmax(numbers.data<float>());
  EXPECT_GE(low, 1.5F);
  EXPECT_LT(low, 1.55F);
  EXPECT_LT(high, 2.5F);
  EXPECT_GT(high, 2.45F);
}

}  // namespace
}  // namespace halftone::models
