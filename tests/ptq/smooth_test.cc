// Scale moves from activations to weights, the function stays.
#include "halftone/ptq/smooth.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "halftone/passes/channel_pairs.h"
#include "halftone/calibration/channel_statistics.h"
#include "tests/passes/networks.h"
#include "tests/calibration/channels.h"

namespace halftone::ptq {
namespace {

// Sums of 8, 4 and 3 products, each below 16 times what came before.
constexpr double kMagnitude = 8.0 * 16 * 4 * 4 * 3 * 4;

std::vector<calibration::ChannelStatistics> taken_by_pairs(const ir::Graph& g, const Tensor& samples) {
  std::vector<ir::ValueId> taken;
  for (const passes::ChannelPair& pair : passes::channel_pairs(g))
    taken.push_back(g.nodes[static_cast<std::size_t>(pair.second)].inputs[0]);
  return calibration::measure_channels(g, taken, {calibration::source_of(samples), {}, calibration::interpreter_of});
}

// Networks of random numbers, and with an outlier channel.
ir::Graph network(const ir::Op& bound) {
  ir::Graph g = calibration::channel_network(*rc::gen::arbitrary<std::uint32_t>(), bound);
  Tensor w = *g.value(g.find("w1").value()).constant;
  for (std::size_t i = 0; i < 8; ++i) w.mutable_data<float>()[i] *= 0x1p+6F;
  g.value(g.find("w1").value()).constant = w;
  return g;
}

// X' = X^(1−α)·W^(1−α) and W' = X^α·W^α: then X'^α = W'^(1−α).
RC_GTEST_PROP(Smooth, KeepsTheFunctionAndMeetsTheEquation, ()) {
  const double alpha = *rc::gen::element(0.25, 0.5, 0.75, 1.0);
  const Tensor samples = ir::random_floats({8, 2, 6, 6}, 7);
  for (const ir::Op& bound : {ir::Op(ir::Relu{}), ir::Op(ir::LeakyRelu{.alpha = 0.5F})}) {
    const ir::Graph g = network(bound);
    const ir::Graph smoothed = smooth(g, alpha, {calibration::source_of(samples), {}, calibration::interpreter_of});
    RC_ASSERT(passes::difference(g, smoothed, kMagnitude * 0x1p+6) == std::nullopt);
    const auto pairs = passes::channel_pairs(smoothed);
    const auto seen = taken_by_pairs(smoothed, samples);
    RC_ASSERT(pairs.size() == 2u);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      const std::vector<double> w = passes::taking_ranges(smoothed, pairs[p]);
      for (std::size_t c = 0; c < w.size(); ++c) {
        if (seen[p].largest(c) == 0.0 || w[c] == 0.0) continue;
        // Float32 sums over up to three layers, and rounded weights.
        RC_ASSERT(std::abs(alpha * std::log(seen[p].largest(c)) - (1.0 - alpha) * std::log(w[c])) < 1e-3);
      }
    }
  }
}

// A ReLU6 stays what it is, and so do the weights around it; channels of two values too.
TEST(Smooth, LeavesBoundsAndSharedChannels) {
  const Tensor samples = ir::random_floats({8, 2, 6, 6}, 7);
  const ir::Graph g = calibration::channel_network(3, ir::Clip{0.0F, 6.0F});
  const ir::Graph smoothed = smooth(g, 0.5, {calibration::source_of(samples), {}, calibration::interpreter_of});
  EXPECT_EQ(smoothed.nodes[1].op, ir::Op(ir::Clip{0.0F, 6.0F}));
  EXPECT_EQ(*smoothed.constant(smoothed.nodes[0].inputs[1]), *g.constant(g.nodes[0].inputs[1]));
  ir::Graph shared;
  const ir::ValueId x = shared.add_input("x", DType::float32, {kDynamic, 2, 6, 6});
  const auto conv = [&](ir::ValueId from, const std::string& name) {
    const ir::ValueId w = shared.add_constant(name + "_w", ir::random_floats({2, 2, 1, 1}, shared.values.size()));
    const ir::ValueId b = shared.add_constant(name + "_b", ir::random_floats({2}, shared.values.size()));
    return shared.add_node(ir::Conv{}, {from, w, b}, name);
  };
  const ir::ValueId a = conv(x, "a");
  const ir::ValueId b = conv(a, "b");
  shared.outputs = {conv(shared.add_node(ir::Add{}, {a, b}, "sum"), "c")};  // b takes a, c takes the sum
  const ir::Graph same = smooth(shared, 0.5, {calibration::source_of(samples), {}, calibration::interpreter_of});
  for (std::size_t n : {0U, 1U, 3U})
    EXPECT_EQ(*same.constant(same.nodes[n].inputs[1]), *shared.constant(shared.nodes[n].inputs[1])) << n;
}

TEST(Smooth, IsTheSameForAnyThreads) {
  const ir::Graph g = calibration::channel_network(3, ir::Relu{});
  const Tensor samples = ir::random_floats({70, 2, 6, 6}, 7);
  const ir::Graph one = smooth(g, 0.5, {calibration::source_of(samples), {}, calibration::interpreter_of});
  const ir::Graph three = smooth(g, 0.5, {calibration::source_of(samples), {.threads = 3}, calibration::interpreter_of});
  ASSERT_EQ(one.values.size(), three.values.size());
  for (std::size_t v = 0; v < one.values.size(); ++v) EXPECT_EQ(one.values[v].constant, three.values[v].constant);
}

TEST(Smooth, OnHandWorkedNumbers) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 1});
  const ir::ValueId w = g.add_constant("w", ir::floats({4, 1}, {8, 1, -1, 2}));
  const ir::ValueId y = g.add_node(ir::Gemm{.trans_b = true}, {x, w, g.add_constant("b", ir::floats({4}, {0, 1, 0, 0}))}, "y");
  const ir::ValueId z = g.add_node(ir::Relu{}, {y}, "z");
  g.outputs = {g.add_node(ir::Gemm{}, {z, g.add_constant("v", ir::floats({4, 1}, {2, 0.5F, 7, 0}))}, "s")};
  // max|X| = 32, 5, 0 and 8: s = √(32/2) = 4, √(5/0.5) = √10, and √(4·√10) for one without values, one without weight.
  const ir::Graph smoothed = smooth(g, 0.5, {calibration::source_of(ir::floats({2, 1}, {4, 2})), {}, calibration::interpreter_of});
  const double s[] = {4.0, std::sqrt(10.0), std::sqrt(4.0 * std::sqrt(10.0)), std::sqrt(4.0 * std::sqrt(10.0))};
  const double w_before[] = {8, 1, -1, 2};
  const double v_before[] = {2, 0.5, 7, 0};
  const auto given = smoothed.constant(smoothed.nodes[0].inputs[1])->data<float>();
  const auto taken = smoothed.constant(smoothed.nodes[2].inputs[1])->data<float>();
  for (std::size_t c = 0; c < 4; ++c) {
    EXPECT_FLOAT_EQ(given[c], static_cast<float>(w_before[c] / s[c])) << c;
    EXPECT_FLOAT_EQ(taken[c], static_cast<float>(v_before[c] * s[c])) << c;
  }
}

TEST(Smooth, RefusesOtherAlphasAndNoSamples) {
  const ir::Graph g = calibration::channel_network(3, ir::Relu{});
  const calibration::SampleSource samples = calibration::source_of(ir::random_floats({2, 2, 6, 6}, 7));
  for (double alpha : {0.0, -0.5, 1.01, static_cast<double>(NAN)})
    EXPECT_THROW(smooth(g, alpha, {samples, {}, calibration::interpreter_of}), UsageError) << alpha;
  EXPECT_THROW(smooth(g, 0.5, {calibration::source_of(Tensor(DType::float32, {0, 2, 6, 6})), {}, calibration::interpreter_of}), InputError);
}

}  // namespace
}  // namespace halftone::ptq
