// SQNR, cosine and what a histogram says of a tensor, by hand.
#include "halftone/analysis/signal_error.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "halftone/analysis/spread.h"
#include "tests/ir/tensors.h"

namespace halftone::analysis {
namespace {

SignalSums sums(const std::vector<float>& x, const std::vector<float>& x_hat) {
  SignalSums result;
  result.add(x, x_hat);
  return result;
}

TEST(SignalError, OfAKnownRounding) {
  // Steps of 1: errors ¼, −¼, ½, 0. Σ x² = 1.5625 + 7.5625 + 12.25 + 16, Σ d² = 0.375.
  const SignalSums s = sums({1.25F, 2.75F, 3.5F, 4.0F}, {1.0F, 3.0F, 4.0F, 4.0F});
  EXPECT_DOUBLE_EQ(s.sqnr(), 10.0 * std::log10(37.375 / 0.375));
  EXPECT_DOUBLE_EQ(s.relative_rms(), std::sqrt(0.375 / 37.375));
  EXPECT_DOUBLE_EQ(s.cosine(), 39.5 / std::sqrt(37.375 * 42.0));
  EXPECT_EQ(s.count, 4);
}

TEST(SignalError, OfUniformRoundingIsSixDecibelsABit) {
  std::vector<float> x(100000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = (static_cast<float>(i) + 0.5F) / 100000.0F * 2.0F - 1.0F;
  for (int bits : {4, 8}) {
    const auto step = static_cast<float>(std::ldexp(1.0, 1 - bits));
    std::vector<float> x_hat;
    for (float v : x) x_hat.push_back(step * (std::floor(v / step) + 0.5F));
    EXPECT_NEAR(sums(x, x_hat).sqnr(), 20.0 * bits * std::log10(2.0), 0.05);
  }
}

TEST(SignalError, AtItsEnds) {
  EXPECT_EQ(sums({1, 2}, {1, 2}).sqnr(), INFINITY);
  EXPECT_EQ(sums({0, 0}, {0, 0}).sqnr(), INFINITY);
  EXPECT_EQ(sums({0, 0}, {0, 1}).sqnr(), -INFINITY);
  EXPECT_EQ(sums({3, 4}, {0, 0}).sqnr(), 0.0);
  EXPECT_EQ(sums({3, 4}, {0, 0}).cosine(), 0.0);
  EXPECT_EQ(sums({0, 0}, {0, 0}).cosine(), 1.0);
  EXPECT_EQ(sums({}, {}).relative_rms(), 0.0);
}

TEST(Spread, IsTheRangeAgainstThreeSigma) {
  calibration::Histogram histogram;
  std::vector<float> x(998, 1.0F);
  x.insert(x.end(), 998, -1.0F);
  x.insert(x.end(), {8.0F, -8.0F});
  histogram.observe(x);
  const Spread spread = spread_of(histogram);
  const double sigma = std::sqrt((1996.0 + 128.0) / 1998.0);
  EXPECT_EQ(spread.range, (numeric::Range{-8.0, 8.0}));
  EXPECT_NEAR(spread.mean, 0.0, 0.01);
  EXPECT_NEAR(spread.sigma, sigma, 0.01);
  EXPECT_NEAR(spread.ratio(), 16.0 / (6.0 * sigma), 0.03);
  EXPECT_EQ(spread_of(calibration::Histogram()).ratio(), 1.0);
}

RC_GTEST_PROP(Bins, HoldEveryNumberOnce, ()) {
  calibration::Histogram histogram;
  const auto x = *rc::gen::container<std::vector<float>>(
      rc::gen::map(rc::gen::inRange(-1000, 1000), [](int v) { return static_cast<float>(v) / 7.0F; }));
  histogram.observe(x);
  const Bins bins = reduced(histogram);
  RC_ASSERT(bins.counts.size() == 64U);
  RC_ASSERT(std::accumulate(bins.counts.begin(), bins.counts.end(), std::int64_t{0}) ==
            static_cast<std::int64_t>(x.size()));
}

TEST(Bins, AreCountedByHand) {
  calibration::Histogram histogram;
  histogram.observe(std::vector<float>{0.0F, 0.0F, 0.0F, 0.3F, 1.1F, 2.6F, 4.0F, -4.0F});
  const Bins bins = reduced(histogram, 8);
  EXPECT_EQ(bins.lo, -4.0);
  EXPECT_EQ(bins.hi, 4.0);
  EXPECT_EQ(bins.counts, (std::vector<std::int64_t>{1, 0, 0, 0, 4, 1, 1, 1}));
}

}  // namespace
}  // namespace halftone::analysis
