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

}  // namespace
}  // namespace halftone::models
