// Biases corrected by what is known of the inputs' means.
#include "halftone/ptq/correct_biases.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numbers>

#include "halftone/passes/pass.h"
#include "tests/calibration/channels.h"
#include "tests/quant/network.h"

namespace halftone::ptq {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// ∫ min(max(x, lo), hi)·φ by the midpoint rule over ±10 deviations.
double integral(const Normal& x, double lo, double hi) {
  constexpr int kSteps = 200000;
  double sum = 0.0;
  for (int i = 0; i < kSteps; ++i) {
    const double t = -10.0 + 20.0 * (i + 0.5) / kSteps;
    sum += std::min(std::max(x.mean + x.deviation * t, lo), hi) * std::exp(-t * t / 2.0);
  }
  return sum * 20.0 / kSteps / std::sqrt(2.0 * std::numbers::pi);
}

RC_GTEST_PROP(ClippedMean, IsTheIntegral, ()) {
  const Normal x{*rc::gen::inRange(-40, 41) * 0.25, *rc::gen::inRange(0, 20) * 0.25};
  const double lo = *rc::gen::element(-kInfinity, -1.0, 0.0);
  const double hi = *rc::gen::element(0.5, 6.0, kInfinity);
  RC_ASSERT(std::abs(clipped_mean(x, lo, hi) - integral(x, lo, hi)) < 1e-6);
}

TEST(ClippedMean, OfKnownCases) {
  EXPECT_NEAR(clipped_mean({0.0, 1.0}, 0.0, kInfinity), 1.0 / std::sqrt(2.0 * std::numbers::pi), 1e-15);
  EXPECT_EQ(clipped_mean({-3.0, 0.0}, 0.0, kInfinity), 0.0);
  EXPECT_EQ(clipped_mean({9.0, 0.0}, 0.0, 6.0), 6.0);
  EXPECT_EQ(clipped_mean({2.5, 4.0}, -kInfinity, kInfinity), 2.5);
}

// Conv, BatchNormalization, Relu, a padded Conv of two groups; then means of space, and a Gemm.
ir::Graph normalized_network() {
  using namespace ir;
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 6, 6});
  ValueId y = g.add_node(Conv{}, {x, g.add_constant("w1", random_floats({4, 2, 3, 3}, 1))}, "conv1");
  y = g.add_node(
      BatchNormalization{},
      {y, g.add_constant("gamma", floats({4}, {1, -2, 0.5F, 3})),
       g.add_constant("beta", floats({4}, {0.5F, 1, -1, 2})), g.add_constant("mu", floats({4}, {0, 0, 0, 0})),
       g.add_constant("var", floats({4}, {1, 1, 1, 1}))},
      "norm");
  y = g.add_node(Relu{}, {y}, "relu");
  y = g.add_node(
      Conv{.window = {.pads = {1, 1, 1, 1}}, .groups = 2},
      {y, g.add_constant("w2", random_floats({4, 2, 3, 3}, 2)), g.add_constant("b2", random_floats({4}, 3))},
      "conv2");
  y = g.add_node(GlobalAveragePool{}, {y}, "mean");
  y = g.add_node(Flatten{}, {y}, "flat");
  g.outputs = {g.add_node(
      Gemm{}, {y, g.add_constant("v", random_floats({4, 3}, 4)), g.add_constant("c", random_floats({3}, 5))},
      "scores")};
  return g;
}

TEST(ChannelMeans, ComeFromBatchNormalizationsThroughWhatFollows) {
  const ir::Graph before = normalized_network();
  const NormalTable known = batch_norm_outputs(before);
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known.at("norm")[1].deviation, 2.0);
  const ir::Graph g = passes::simplify(before);  // conv1 gives "norm"
  const auto means = channel_means(g, g.find("relu").value(), known);
  ASSERT_TRUE(means);
  for (std::size_t c = 0; c < 4; ++c)
    EXPECT_EQ((*means)[c], clipped_mean(known.at("norm")[c], 0.0, kInfinity));
  EXPECT_FALSE(channel_means(g, g.find("x").value(), known));
  EXPECT_FALSE(channel_means(g, g.find("flat").value(), known));
  EXPECT_EQ(source_of_means(g, g.find("flat").value()), g.find("conv2").value());
  const auto plain = channel_means(g, g.find("flat").value(), {{"conv2", {{1, 9}, {2, 9}, {3, 9}, {4, 9}}}});
  ASSERT_TRUE(plain);
  EXPECT_EQ(*plain, (std::vector<double>{1, 2, 3, 4}));
}

Tensor samples() { return ir::random_floats({64, 2, 6, 6}, 7); }

quant::Parameters coarse(const ir::Graph& g, bool weight_only) {
  quant::Recipe recipe{.weight_only = weight_only};
  recipe.weights.format.bits = 3;
  return quant::choose_parameters(g, weight_only ? quant::RangeTable{} : quant::ranges_on(g, samples(), recipe), recipe);
}

// With weights alone quantized, the error of a layer's mean is ε·E[x]: of inputs whose true means are known
// (the measured source is no ReLU's), nothing remains of it.
TEST(CorrectBiases, LeavesNoMeanErrorWhereMeansAreExact) {
  using namespace ir;
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 5});
  g.outputs = {g.add_node(
      Gemm{}, {x, g.add_constant("w", random_floats({5, 3}, 1)), g.add_constant("b", random_floats({3}, 2))},
      "y")};
  Tensor rows = random_floats({64, 5}, 3);
  for (float& v : rows.mutable_data<float>()) v += 4.0F;
  quant::Parameters parameters = coarse(g, true);
  const auto mean_error = [&] {
    const Tensor real = run(g, {rows});
    const Tensor mine = run(quant::quantize(g, parameters, {}).graph, {rows});
    double largest = 0.0;
    for (std::size_t c = 0; c < 3; ++c) {
      double sum = 0.0;
      for (std::size_t i = c; i < 192; i += 3) sum += double{real.data<float>()[i]} - mine.data<float>()[i];
      largest = std::max(largest, std::abs(sum / 64.0));
    }
    return largest;
  };
  EXPECT_GT(mean_error(), 0.5);
  NormalTable known;
  measure_sources(g, parameters, {calibration::source_of(rows), {}, calibration::interpreter_of}, known);
  EXPECT_EQ(correct_biases(g, parameters, known), 1);
  EXPECT_LT(mean_error(), 1e-4);  // some 64 roundings of float32 at 100
}

TEST(CorrectBiases, SubtractsTheErrorOfWeightsTimesTheMeans) {
  const ir::Graph before = normalized_network();
  const ir::Graph g = passes::simplify(before);
  const NormalTable known = batch_norm_outputs(before);
  quant::Parameters parameters = coarse(g, true);
  const quant::Parameters plain = parameters;
  EXPECT_EQ(correct_biases(g, parameters, known), 1);  // conv2 alone: nothing is known of x and conv2
  const ir::Node& node = *quant::node_of(g, "conv2");
  const auto place = std::ranges::find_if(g.nodes, [&](const ir::Node& other) { return &other == &node; });
  const auto n = static_cast<std::size_t>(place - g.nodes.begin());
  const Tensor mine = numeric::dequantize(plain.weights[n]->q, plain.weights[n]->params);
  for (std::size_t m = 0; m < 4; ++m) {
    double by = 0.0;
    for (std::size_t c = 0; c < 2; ++c)
      for (std::size_t t = 0; t < 9; ++t) {
        const std::size_t at = (m * 2 + c) * 9 + t;
        by += (double{mine.data<float>()[at]} - quant::constant_of(g, "w2").data<float>()[at]) *
              clipped_mean(known.at("norm")[m / 2 * 2 + c], 0.0, kInfinity);
      }
    EXPECT_NEAR(parameters.weights[n]->real_bias.at(m), quant::constant_of(g, "b2").data<float>()[m] - by, 1e-5)
        << m;
  }
}

TEST(CorrectBiases, MeasuresWhatIsNotKnown) {
  const ir::Graph before = normalized_network();
  const ir::Graph g = passes::simplify(before);
  NormalTable known = batch_norm_outputs(before);
  quant::Parameters parameters = coarse(g, false);
  const auto given = known.at("norm")[0].mean;
  measure_sources(g, parameters, {calibration::source_of(samples()), {.threads = 2}, calibration::interpreter_of}, known);
  EXPECT_EQ(known.at("norm")[0].mean, given);
  EXPECT_EQ(known.size(), 3u);  // x and conv2
  EXPECT_EQ(correct_biases(g, parameters, known), 3);
  EXPECT_NE(parameters.weights, coarse(g, false).weights);
  for (const auto& weights : parameters.weights) EXPECT_TRUE(!weights || weights->real_bias.empty());
}

}  // namespace
}  // namespace halftone::ptq
