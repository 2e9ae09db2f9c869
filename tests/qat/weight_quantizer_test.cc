// Each quantizer of weights: integers within bounds, steps by the rule that it states, gradients through the rounding.
#include "halftone/qat/quantizers/weight_quantizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/qat/quantizers/sawb.h"

namespace halftone::qat {
namespace {

WeightStart some_weights(std::int64_t axis = 0) {
  torch::manual_seed(6);
  WeightStart start{.w = torch::randn({4, 30}), .q = {}, .scales = {}, .axis = axis, .bounds = {-8, 7}};
  const torch::Tensor s = (axis < 0 ? start.w.abs().max().reshape({1}) : start.w.abs().amax(1)) / 7;
  start.scales.assign(s.data_ptr<float>(), s.data_ptr<float>() + s.numel());
  start.q = (start.w / (axis < 0 ? s : s.unsqueeze(1))).round().clamp(-8, 7);
  return start;
}

torch::Tensor trained(const WeightQuantizer& quantizer, const std::string& name) {
  for (const NamedTensor& each : quantizer.tensors())
    if (each.name == name) return each.tensor;
  return {};
}

constexpr MakeWeights kAll[] = {weights_at_fixed_steps, weights_at_learnt_steps, weights_at_learnt_powers_of_two, weights_by_largest, weights_by_first_run, weights_by_statistics, weights_through_tanh};

TEST(WeightQuantizer, IntegersAreWholeAndWithinBounds) {
  for (MakeWeights make : kAll)
    for (std::int64_t axis : {-1, 0}) {
      const auto quantizer = make(some_weights(axis));
      const torch::Tensor q = quantizer->integers();
      EXPECT_TRUE(torch::equal(q, q.round()));
      EXPECT_GE(q.min().item<float>(), -8);
      EXPECT_LE(q.max().item<float>(), 7);
      EXPECT_EQ(quantizer->steps().numel(), axis < 0 ? 1 : 4);
      q.sum().backward();
      EXPECT_GT(trained(*quantizer, "v").grad().abs().sum().item<float>(), 0.0F);
    }
}

// The fused road gives the numbers and gradients of the plain one.
TEST(WeightQuantizer, WeightsAreIntegersTimesSteps) {
  for (MakeWeights make : kAll)
    for (std::int64_t axis : {-1, 0}) {
      const auto fused = make(some_weights(axis));
      const auto plain = make(some_weights(axis));
      const auto slopes = [&](const WeightQuantizer& quantizer, const torch::Tensor& w) {
        (w * torch::arange(120).reshape({4, 30})).sum().backward();
        std::vector<torch::Tensor> all;
        for (const NamedTensor& each : quantizer.tensors()) all.push_back(each.tensor.grad());
        return all;
      };
      const torch::Tensor y = fused->weights(fused->steps());
      const torch::Tensor s = plain->steps();
      const torch::Tensor expected = plain->integers() * (axis < 0 ? s : s.unsqueeze(1));
      EXPECT_TRUE(torch::equal(y, expected));
      const std::vector<torch::Tensor> got = slopes(*fused, y);
      const std::vector<torch::Tensor> wanted = slopes(*plain, expected);
      for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_TRUE(torch::allclose(got[i], wanted[i], 1e-4, 1e-4)) << i;
    }
}

TEST(WeightQuantizer, StartsAtTheIntegersThatWereChosen) {
  const WeightStart start = some_weights();
  for (MakeWeights make : {weights_at_fixed_steps, weights_at_learnt_steps, weights_by_largest})
    EXPECT_TRUE(torch::equal(make(start)->integers(), start.q));
}

TEST(WeightQuantizer, StepsFollowTheirRule) {
  const WeightStart start = some_weights();
  EXPECT_TRUE(torch::allclose(weights_by_largest(start)->steps(), start.w.abs().amax(1) / 7, 0.1));  // weights are held near their integers
  EXPECT_TRUE(torch::allclose(weights_by_first_run(start)->steps(), start.w.abs().amax(1) / 8));
  const SawbFit fit = fit_sawb(7);
  const torch::Tensor w = start.q * torch::tensor(start.scales).unsqueeze(1);
  const torch::Tensor fitted = fit.c1 * w.square().mean(1).sqrt() - fit.c2 * w.abs().mean(1);
  const torch::Tensor alpha = fitted.maximum(w.abs().mean(1)).minimum(w.abs().amax(1));
  EXPECT_TRUE(torch::allclose(weights_by_statistics(start)->steps() * 7, alpha, 0.1));
}

// Weights of one magnitude, and zeros, are like no distribution that was fitted.
TEST(WeightQuantizer, StepsOfFewWeightsDoNotCollapse) {
  WeightStart start = some_weights();
  const torch::NoGradGuard guard;
  start.w[0].copy_(start.w[0].sign() * 0.7F);
  start.scales[0] = 0.1F;
  start.w[1].zero_();
  start.q = (start.w / torch::tensor(start.scales).unsqueeze(1)).round().clamp(-8, 7);
  for (MakeWeights make : {weights_by_largest, weights_by_statistics}) {
    const torch::Tensor s = make(start)->steps();
    EXPECT_NEAR(s[0].item<float>(), 0.1, 0.02);
    EXPECT_EQ(s[1].item<float>(), start.scales[1]);
  }
}

// Straight through the rounding: the slope of an integer is that of the weight in steps, within the bounds.
TEST(WeightQuantizer, TanhHasItsOwnSlope) {
  const auto quantizer = weights_through_tanh(some_weights());
  const torch::Tensor v = trained(*quantizer, "v");
  quantizer->integers()[1][3].backward();
  const double t = v.detach().tanh()[1].abs().max().item<double>();
  const double slope = 7.0 / t * (1.0 - std::pow(std::tanh(v[1][3].item<double>()), 2));
  EXPECT_NEAR(v.grad()[1][3].item<double>(), slope, 1e-3 * slope);
}

TEST(WeightQuantizer, NoiseIsFairAndFollowsTheSeed) {
  const auto quantizer = weights_at_fixed_steps(some_weights());
  const torch::Tensor w = quantizer->in_steps().detach();
  torch::Tensor sum = torch::zeros_like(w);
  for (std::uint64_t seed = 0; seed < 4000; ++seed) sum += quantizer->integers({WeightNoise::stochastic, seed}).detach();
  const torch::Tensor within = w.abs() < 6;
  EXPECT_LT(((sum / 4000 - w).abs() * within).max().item<float>(), 0.05F);  // 6 deviations of a mean of 4,000
  EXPECT_TRUE(torch::equal(quantizer->integers({WeightNoise::additive, 3}), quantizer->integers({WeightNoise::additive, 3})));
  EXPECT_FALSE(torch::equal(quantizer->integers({WeightNoise::additive, 3}), quantizer->integers({WeightNoise::additive, 4})));
}

TEST(WeightQuantizer, WeightsThatGoToAndFroStay) {
  const auto quantizer = weights_at_fixed_steps(some_weights());
  const torch::Tensor v = trained(*quantizer, "v");
  const torch::NoGradGuard guard;
  const torch::Tensor others = v.clone();
  for (int i = 0; i < 60; ++i) {
    v[0][0] = (i % 2 == 0 ? 2.4F : 2.6F) / 7;  // of integers 2 and 3
    quantizer->freeze_oscillating(0.2);
  }
  const float kept = v[0][0].item<float>() * 7;
  EXPECT_NEAR(kept, std::round(kept), 1e-5);
  v[0][0] = 0.9F;
  quantizer->freeze_oscillating(0.2);
  EXPECT_NEAR(v[0][0].item<float>() * 7, kept, 1e-5);
  EXPECT_TRUE(torch::equal(v[1], others[1]));
}

// One line cannot serve distributions with and without tails alike where there are many bits: their best clipping lies far apart.
TEST(Sawb, FitsTheBestClippingOfSixDistributions) {
  for (int hi : {1, 7, 127}) {
    const SawbFit fit = fit_sawb(hi);
    EXPECT_GT(fit.c1, 0.0) << hi;
    EXPECT_LT(fit.worst, hi < 100 ? 0.1 : 0.3) << hi;
  }
}

}  // namespace
}  // namespace halftone::qat
