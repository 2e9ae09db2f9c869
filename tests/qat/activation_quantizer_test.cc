// Each quantizer of activations against the surrogate that it states, and what it deploys.
#include "halftone/qat/quantizers/activation_quantizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "halftone/numeric/affine.h"

namespace halftone::qat {
namespace {

const Ranks kAlone;
const numeric::IntegerFormat kUnsigned{4, false, false};
const numeric::IntegerFormat kSigned{4, true, false};

// Numbers in and beyond a range of 0 to 1.5 (unsigned) or −0.8 to 0.7 (signed), none on a tie or a bound of steps of 0.1.
torch::Tensor some_numbers() { return torch::tensor({{-2.03F, -0.87F, -0.52F, -0.13F, 0.02F}, {0.11F, 0.38F, 0.66F, 1.47F, 2.91F}}); }

struct Slopes {
  torch::Tensor of_x;
  torch::Tensor of_step;  // of the logarithm; undefined where it is not trained
  torch::Tensor of_zero;
};

Slopes slopes_of(ActivationQuantizer& quantizer, const torch::Tensor& g) {
  torch::Tensor x = some_numbers().requires_grad_();
  quantizer.begin(/*training=*/true);
  (quantizer.forward(x) * g).sum().backward();
  Slopes slopes{x.grad(), {}, {}};
  for (const NamedTensor& each : quantizer.tensors()) {
    if (each.name == "step" && each.tensor.grad().defined()) slopes.of_step = each.tensor.grad();
    if (each.name == "zero") slopes.of_zero = each.tensor.grad();
  }
  return slopes;
}

// Each element as the surrogate has it, which rounds as the quantizer did but with a slope: v + c, c being the error of rounding.
double slope(const std::function<double(double)>& surrogate, double at) {
  const double h = 1e-6;
  return (surrogate(at + h) - surrogate(at - h)) / (2 * h);
}

torch::Tensor weights_of_sum() {
  torch::manual_seed(2);
  return torch::randn({2, 5});
}

// s·(clamp(x/s, lo, hi) + c): as LSQ has it, in u = ln s.
double lsq(double x, double u, double lo, double hi, double c) {
  const double s = std::exp(u);
  return s * (std::clamp(x / s, lo, hi) + c);
}

TEST(ActivationQuantizer, LearntStepsHaveTheSlopesOfTheirSurrogate) {
  const torch::Tensor g = weights_of_sum();
  const torch::Tensor x = some_numbers();
  const double s = 0.1F, lo = -8, hi = 7;
  const auto quantizer = learnt_steps({kSigned, {0.1F, 0}, &kAlone});
  const Slopes slopes = slopes_of(*quantizer, g);
  double of_step = 0;
  for (std::int64_t i = 0; i < 10; ++i) {
    const double at = x.flatten()[i].item<double>();
    const double v = std::clamp(at / s, lo, hi);
    const double c = std::nearbyint(v) - v;
    const double weight = g.flatten()[i].item<double>();
    EXPECT_NEAR(slopes.of_x.flatten()[i].item<double>(), weight * slope([&](double t) { return lsq(t, std::log(s), lo, hi, c); }, at), 1e-4) << at;
    of_step += weight * slope([&](double u) { return lsq(at, u, lo, hi, c); }, std::log(s));
  }
  const double scale = 1.0 / std::sqrt(5.0 * 7.0);  // elements a row, and the bound
  EXPECT_NEAR(slopes.of_step.item<double>(), scale * of_step, 1e-4);
}

TEST(ActivationQuantizer, PactLearnsItsClippingAlone) {
  const torch::Tensor g = weights_of_sum();
  const torch::Tensor x = some_numbers();
  const double alpha = 0.1F * 15;
  const auto quantizer = learnt_clipping({kUnsigned, {0.1F, 0}, &kAlone});
  const Slopes slopes = slopes_of(*quantizer, g);
  double of_alpha = 0;
  for (std::int64_t i = 0; i < 10; ++i) {
    const double at = x.flatten()[i].item<double>();
    const auto pact = [](double t, double a) { return 0.5 * (std::abs(t) - std::abs(t - a) + a); };
    const double weight = g.flatten()[i].item<double>();
    EXPECT_NEAR(slopes.of_x.flatten()[i].item<double>(), weight * slope([&](double t) { return pact(t, alpha); }, at), 1e-4) << at;
    of_alpha += weight * slope([&](double a) { return pact(at, a); }, alpha);
  }
  EXPECT_NEAR(slopes.of_step.item<double>(), of_alpha * alpha, 1e-4);  // dα/du = α
  EXPECT_NEAR(quantizer->penalty().item<double>(), 0.5 * 2e-4 * alpha * alpha, 1e-9);
}

TEST(ActivationQuantizer, OffsetsAreLearntBeyondTheRangeAndStayWhole) {
  const torch::Tensor g = weights_of_sum();
  const torch::Tensor x = some_numbers();
  const auto quantizer = learnt_offsets({kUnsigned, {0.1F, 3}, &kAlone});
  const Slopes slopes = slopes_of(*quantizer, g);
  double of_zero = 0;
  for (std::int64_t i = 0; i < 10; ++i) {
    const double at = x.flatten()[i].item<double>();
    const double v = std::clamp(at / 0.1F, -3.0, 12.0);
    const double c = std::nearbyint(v) - v;
    // s·(clamp(x/s + z, 0, 15) − z + c)
    of_zero += g.flatten()[i].item<double>() * slope([&](double z) { return 0.1F * (std::clamp(at / 0.1F + z, 0.0, 15.0) - z + c); }, 3.0);
  }
  EXPECT_NEAR(slopes.of_zero.item<double>(), of_zero / std::sqrt(5.0 * 12.0), 1e-4);
  const torch::Tensor zero = quantizer->tensors().back().tensor;
  {
    const torch::NoGradGuard guard;
    zero.fill_(4.7F);
    EXPECT_EQ(quantizer->affine().zero_point, 5);
    zero.fill_(-40.0F);
    EXPECT_EQ(quantizer->affine().zero_point, 0);
  }
}

TEST(ActivationQuantizer, PowersOfTwoStayPowersOfTwo) {
  const auto quantizer = learnt_powers_of_two({kSigned, {0.125F, 0}, &kAlone});
  const torch::Tensor u = quantizer->tensors().at(0).tensor;
  const torch::NoGradGuard guard;
  EXPECT_EQ(quantizer->affine().scale, 0.125F);
  u.fill_(0.01F);
  EXPECT_EQ(quantizer->affine().scale, 0.25F);
  u.fill_(-0.69F);
  EXPECT_EQ(quantizer->affine().scale, 0.125F);
  u.fill_(-0.70F);
  EXPECT_EQ(quantizer->affine().scale, 0.0625F);
}

TEST(ActivationQuantizer, GradientsPassBeyondTheRangeWhereTheyAreTo) {
  const torch::Tensor g = torch::ones({2, 5});
  EXPECT_EQ(slopes_of(*straight_through({kSigned, {0.1F, 0}, &kAlone}), g).of_x.sum().item<float>(), 6.0F);
  EXPECT_EQ(slopes_of(*straight_through_everywhere({kSigned, {0.1F, 0}, &kAlone}), g).of_x.sum().item<float>(), 10.0F);
}

// clip(half_even((x − off)/s), Qn, Qp)·s + off with α = max|x| of the first batch, s = 2α/2^bits, off = α where nothing is negative.
TEST(ActivationQuantizer, TheLabsQuantizerIsAsWritten) {
  torch::manual_seed(4);
  const torch::Tensor positive = torch::rand({8, 9}) * 3.7F;
  for (bool always_positive : {true, false}) {
    const torch::Tensor x = always_positive ? positive : positive - 1.3F;
    const auto quantizer = first_batch({{8, true, false}, {0.5F, always_positive ? -128 : 3}, &kAlone});
    quantizer->begin(true);
    const torch::Tensor y = quantizer->forward(x);
    const double alpha = x.abs().max().item<double>();
    const double s = 2 * alpha / 256;
    const double off = always_positive ? alpha : 0;
    const torch::Tensor expected = ((x.to(at::kDouble) - off) / s).round().clamp(-128, 127) * s + off;
    EXPECT_TRUE(torch::allclose(y.to(at::kDouble), expected, 1e-6, 1e-6)) << always_positive;
    EXPECT_EQ(quantizer->affine().zero_point, always_positive ? -128 : 0);
    quantizer->begin(true);
    quantizer->forward(x * 5);  // never again
    EXPECT_FLOAT_EQ(quantizer->affine().scale, static_cast<float>(s));
  }
}

TEST(ActivationQuantizer, MovingExtremesFollowBatches) {
  const auto quantizer = moving_extremes({kUnsigned, {0.1F, 0}, &kAlone});
  const torch::Tensor x = torch::tensor({{0.5F, 3.0F}});
  quantizer->begin(true);
  quantizer->forward(x);
  EXPECT_FLOAT_EQ(quantizer->affine().scale, 0.1F);
  quantizer->begin(true);
  EXPECT_NEAR(quantizer->affine().scale, (0.99 * 1.5 + 0.01 * 3.0) / 15, 1e-6);
  for (int i = 0; i < 2000; ++i) {
    quantizer->forward(x);
    quantizer->begin(true);
  }
  EXPECT_NEAR(quantizer->affine().scale, 3.0 / 15, 1e-5);
  quantizer->begin(false);  // judging moves nothing
  quantizer->forward(x * 10);
  quantizer->begin(true);
  EXPECT_NEAR(quantizer->affine().scale, 3.0 / 15, 1e-5);
}

}  // namespace
}  // namespace halftone::qat
