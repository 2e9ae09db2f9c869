// Rounding to steps against the arithmetic's own functions, and its gradients against the surrogate that they state.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "halftone/numeric/affine.h"
#include "halftone/qat/quantizers/round_to_steps.h"
#include "tests/qat/random_tensor.h"

namespace halftone::qat {
namespace {

const numeric::IntegerFormat kFourBits{4, true, false};

std::vector<float> some_numbers() {
  std::vector<float> x{0.0F, -0.0F, 1e30F, -1e30F, 0.05F, 0.15F, -0.25F, 0.7F, 0.75F, -0.85F};
  for (int i = -40; i <= 40; ++i) x.push_back(static_cast<float>(i) * 0.05F);  // every other one is a tie
  return x;
}

double of_step(const StepSums& sums, const StepBounds& bounds) {
  return sums.inside + static_cast<double>(bounds.hi) * sums.above + static_cast<double>(bounds.lo) * sums.below;
}

TEST(RoundToSteps, IsQuantizeAndDequantize) {
  const std::vector<float> x = some_numbers();
  for (std::int32_t zero : {0, -8, 3}) {
    const numeric::Affine affine{0.1F, zero};
    std::vector<float> y(x.size());
    round_to_steps(x.data(), y.data(), std::ssize(x), affine.scale, {static_cast<float>(-8 - zero), static_cast<float>(7 - zero)});
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(y[i], numeric::dequantize(numeric::quantize(x[i], affine, kFourBits), affine)) << x[i] << " zero " << zero;
  }
}

// Straight through the rounding: the slope of s·clamp(x/s + c), c being the rounding's own error at x/s.
TEST(RoundToSteps, GradientsAreThoseOfTheSurrogate) {
  const std::vector<float> x = some_numbers();
  const double s = 0.1;
  const StepBounds bounds{-8, 7};
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::abs(x[i]) > 1e3F) continue;
    const double v = static_cast<double>(x[i] / 0.1F);
    const double error = std::nearbyint(std::clamp(v, -8.0, 7.0)) - std::clamp(v, -8.0, 7.0);
    const auto surrogate = [&](double at, double step) { return step * (std::clamp(at / step, -8.0, 7.0) + error); };
    if (std::abs(v - 7.0) < 1e-3 || std::abs(v + 8.0) < 1e-3) continue;  // no slope there
    const float g = 3.0F;
    float g_x = 0.0F;
    const double g_s = of_step(round_to_steps_gradient(&x[i], &g, &g_x, 1, 0.1F, bounds), bounds);
    const double h = 1e-6;
    EXPECT_NEAR(g_x, 3.0 * (surrogate(x[i] + h, s) - surrogate(x[i] - h, s)) / (2 * h), 1e-6) << x[i];
    EXPECT_NEAR(g_s, 3.0 * (surrogate(x[i], s + h) - surrogate(x[i], s - h)) / (2 * h), 1e-4) << x[i];
  }
}

TEST(RoundToSteps, SumsOfGradientsAreThoseOfTheElements) {
  std::mt19937_64 random(5);
  const Tensor x = random_tensor({3001}, random);
  const Tensor g = random_tensor({3001}, random);
  std::vector<float> g_x(3001);
  double sum = 0.0;
  for (std::size_t i = 0; i < g_x.size(); ++i) sum += of_step(round_to_steps_gradient(&x.data<float>()[i], &g.data<float>()[i], &g_x[i], 1, 0.25F, {-4, 3}), {-4, 3});
  EXPECT_NEAR(of_step(round_to_steps_gradient(x.data<float>().data(), g.data<float>().data(), g_x.data(), 3001, 0.25F, {-4, 3}), {-4, 3}), sum, 1e-3);
}

// A step for each index of an axis, in any order of memory.
TEST(RoundToSteps, HasAStepForEachChannel) {
  torch::manual_seed(3);
  for (std::int64_t axis : {-1, 0, 1}) {
    torch::Tensor x = torch::randn({4, 3, 5, 2}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
    torch::Tensor s = (axis < 0 ? torch::full({1}, 0.2F) : torch::rand({x.size(axis)}) + 0.1F).requires_grad_();
    const torch::Tensor y = round_to_steps(x, s, {.axis = axis, .bounds = {-8, 7}, .gradient_scale = 0.5});
    std::vector<std::int64_t> shape(4, 1);
    if (axis >= 0) shape[static_cast<std::size_t>(axis)] = -1;
    const torch::Tensor along = s.detach().reshape(shape);
    EXPECT_TRUE(torch::equal(y, (x.detach() / along).clamp(-8, 7).round() * along)) << axis;
    const torch::Tensor g = torch::randn_like(y);
    (y * g).sum().backward();
    const torch::Tensor v = x.detach() / along;
    const torch::Tensor inside = v.ge(-8) * v.le(7);
    EXPECT_TRUE(torch::equal(x.grad(), g * inside)) << axis;
    const torch::Tensor of_s = 0.5 * g * torch::where(inside, v.round() - v, v.clamp(-8, 7));
    std::vector<std::int64_t> others;
    for (std::int64_t d = 0; d < 4; ++d)
      if (d != axis) others.push_back(d);
    EXPECT_TRUE(torch::allclose(s.grad(), of_s.sum(others).reshape({-1}), 1e-4, 1e-4)) << axis;
  }
}

}  // namespace
}  // namespace halftone::qat
