// The part that a channel's values have in common moves to the next bias.
#include "halftone/ptq/absorb_biases.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "halftone/passes/channel_pairs.h"
#include "halftone/calibration/channel_statistics.h"
#include "tests/passes/networks.h"
#include "tests/calibration/channels.h"

namespace halftone::ptq {
namespace {

// Statistics of conv1 of calibration::channel_network, by channel.
calibration::ChannelStatistics given(const ir::Graph& g, const Tensor& samples) {
  return calibration::measure_channels(g, {g.find("conv1").value()}, {calibration::source_of(samples), {}, calibration::interpreter_of})[0];
}

// calibration::channel_network up to what conv2 gives, with conv1's channels around `mean` and of `spread` times their
// usual size.
ir::Graph network(std::uint64_t seed, const ir::Op& bound, float mean, float spread) {
  ir::Graph g = calibration::channel_network(seed, bound);
  Tensor w = *g.value(g.find("w1").value()).constant;
  for (float& v : w.mutable_data<float>()) v *= spread;
  g.value(g.find("w1").value()).constant = w;
  Tensor b = *g.value(g.find("b1").value()).constant;
  for (float& v : b.mutable_data<float>()) v += mean;
  g.value(g.find("b1").value()).constant = b;
  g.outputs = {g.find("conv2").value()};
  return ir::without_dead_nodes(g);
}

// |W2|·max(0, c − x), by channel of the depthwise conv2: where x < c, relu(x − c) + c is above relu(x).
double largest_change(const ir::Graph& g, const calibration::ChannelStatistics& on_samples,
                      const calibration::ChannelStatistics& on_input) {
  const auto w = g.constant(g.find("w2").value())->data<float>();
  double largest = 0.0;
  for (std::size_t c = 0; c < 3; ++c) {
    double weight = 0.0;
    for (std::size_t k = 0; k < 4; ++k) weight += std::abs(double{w[c * 4 + k]});
    const double moved = std::max(0.0, on_samples.mean(c) - 3.0 * on_samples.deviation(c));
    largest = std::max(largest, weight * std::max(0.0, moved - on_input.lo[c]));
  }
  return largest;
}

RC_GTEST_PROP(AbsorbBiases, ChangesNoMoreThanValuesBelowTheShift, ()) {
  const float spread = *rc::gen::element(0.0F, 0.125F, 1.0F);
  const std::uint64_t seed = *rc::gen::arbitrary<std::uint32_t>();
  const Tensor samples = ir::random_floats({8, 2, 6, 6}, 7);
  for (const ir::Op& bound :
       {ir::Op(ir::Relu{}), ir::Op(ir::LeakyRelu{.alpha = 0.5F}), ir::Op(ir::Clip{0.0F, 64.0F})}) {
    const ir::Graph g = network(seed, bound, 32.0F, spread);
    const ir::Graph absorbed = absorb_biases(g, {calibration::source_of(samples), {}, calibration::interpreter_of});
    const calibration::ChannelStatistics on_samples = given(g, samples);
    const double change = largest_change(g, on_samples, given(g, passes::random_input(g)));
    // Sums of 8 products below 16 and of 4 below 4·128, their weights and biases rounded again, and the
    // change.
    RC_ASSERT(passes::difference(g, absorbed, 4.0 * 4 * 512 + change * 0x1p+21) == std::nullopt);
    const calibration::ChannelStatistics after = given(absorbed, samples);
    for (std::size_t c = 0; c < 3; ++c) {
      const double expected = std::min(on_samples.mean(c), 3.0 * on_samples.deviation(c));
      RC_ASSERT(std::abs(after.mean(c) - expected) < 1e-4);
    }
  }
}

TEST(AbsorbBiases, LeavesNetworksWithNothingToMove) {
  const Tensor samples = ir::random_floats({8, 2, 6, 6}, 7);
  const ir::Graph g = network(3, ir::Clip{0.0F, 6.0F}, -32.0F, 1.0F);
  const ir::Graph absorbed = absorb_biases(g, {calibration::source_of(samples), {}, calibration::interpreter_of});
  EXPECT_EQ(passes::count<ir::Clip>(absorbed), 1);
  passes::expect_same(g, absorbed);
}

TEST(AbsorbBiases, OnHandWorkedNumbers) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 1});
  const ir::ValueId y = g.add_node(
      ir::Gemm{.trans_b = true},
      {x, g.add_constant("w", ir::floats({2, 1}, {1, 1})), g.add_constant("b", ir::floats({2}, {20, 1}))},
      "y");
  const ir::ValueId z = g.add_node(ir::Relu{}, {y}, "z");
  g.outputs = {g.add_node(ir::MatMul{}, {z, g.add_constant("v", ir::floats({2, 2}, {2, -3, 5, 7}))}, "s")};
  // μ = 20 and 1, σ = 2: c = 14 and 0.
  const ir::Graph absorbed = absorb_biases(g, {calibration::source_of(ir::floats({2, 1}, {-2, 2})), {}, calibration::interpreter_of});
  EXPECT_THAT(ir::values_of<float>(*absorbed.constant(absorbed.nodes[0].inputs[2])),
              testing::ElementsAre(6, 1));
  EXPECT_THAT(ir::values_of<float>(*absorbed.constant(absorbed.nodes[2].inputs.at(2))),
              testing::ElementsAre(28, -42));
}

TEST(AbsorbBiases, NotWherePaddingWouldStandForTheShift) {
  const auto pairs = [](const ir::Op& pool, const ir::Op& second) {
    ir::Graph g;
    const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 6, 6});
    ir::ValueId y = g.add_node(ir::Conv{}, {x, g.add_constant("w", ir::random_floats({3, 2, 2, 2}, 1))}, "y");
    y = g.add_node(pool, {y}, "pool");
    g.outputs = {g.add_node(second, {y, g.add_constant("v", ir::random_floats({2, 3, 2, 2}, 2))}, "z")};
    const auto all = passes::channel_pairs(g);
    EXPECT_EQ(all.size(), 1u);
    return passes::moves_shifts(g, all.at(0));
  };
  const std::vector<std::int64_t> pads{0, 1, 0, 0};
  EXPECT_TRUE(pairs(ir::MaxPool{{.kernel = {2, 2}, .pads = pads}}, ir::Conv{}));
  EXPECT_TRUE(pairs(ir::AveragePool{{.kernel = {2, 2}, .pads = pads}}, ir::Conv{{.pads = {0, 0, 0, 0}}}));
  EXPECT_TRUE(pairs(ir::AveragePool{{.kernel = {2, 2}}, true}, ir::Conv{{.auto_pad = ir::AutoPad::valid}}));
  EXPECT_FALSE(pairs(ir::AveragePool{{.kernel = {2, 2}, .pads = pads}, true}, ir::Conv{}));
  EXPECT_FALSE(pairs(ir::Relu{}, ir::Conv{{.pads = pads}}));
  EXPECT_FALSE(pairs(ir::Relu{}, ir::Conv{{.auto_pad = ir::AutoPad::same_upper}}));
}

}  // namespace
}  // namespace halftone::ptq
