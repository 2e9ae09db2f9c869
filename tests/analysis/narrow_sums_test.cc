// Layers that sum in few bits.
#include "halftone/analysis/narrow_sums.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "halftone/base/error.h"
#include "halftone/numeric/format.h"
#include "halftone/analysis/fixed_weights.h"
#include "tests/analysis/network.h"

namespace halftone::analysis {
namespace {

using numeric::Overflow;
using testing::ElementsAre;

std::shared_ptr<const ir::Executor> interpreter(const ir::Graph& graph) {
  return std::make_shared<ir::Interpreter>(graph);
}

// x [N, 4] · w [1, 4]ᵀ + b.
ir::Graph dot(const std::vector<float>& w, float b) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 4});
  g.outputs = {g.add_node(
      ir::Gemm{.trans_b = true},
      {x, g.add_constant("w", ir::floats({1, 4}, w)), g.add_constant("b", ir::floats({1}, {b}))}, "y")};
  return g;
}

float narrow_dot(const std::vector<float>& x, const std::vector<float>& w, Overflow overflow, int bits = 16) {
  const ir::Graph g = dot(w, 0.5F);
  const NarrowNetwork network(g, {.weights = {8, 0}, .overflow = overflow, .bits = bits}, {{"x", {8, 0}}},
                              interpreter(g));
  const std::vector<Tensor> inputs{ir::floats({1, 4}, x)};
  return network.run(inputs)[0].data<float>()[0];
}

// −128·−128 three times is beyond 16 bits; then −128·127 comes off. Saturating forgets what was beyond,
// wrapping does not mind once the sum is back inside; in between the order counts for one of them alone.
TEST(NarrowSums, SaturateAfterEveryProductOrKeepTheLowBits) {
  const std::vector<float> x{-128, -128, -128, -128};
  EXPECT_EQ(narrow_dot(x, {-128, -128, -128, 127}, Overflow::saturate), 32767 - 128 * 127 + 0.5F);
  EXPECT_EQ(narrow_dot(x, {127, -128, -128, -128}, Overflow::saturate), 32767 + 0.5F);
  EXPECT_EQ(narrow_dot(x, {-128, -128, 127, 0}, Overflow::saturate), 32767 - 16256 + 0.5F);
  EXPECT_EQ(narrow_dot(x, {-128, -128, 127, 0}, Overflow::wrap), 2 * 16384 - 16256 + 0.5F);
  EXPECT_EQ(narrow_dot(x, {-128, -128, 0, 0}, Overflow::wrap), -32768 + 0.5F);
  EXPECT_EQ(narrow_dot(x, {-128, -128, 0, 0}, Overflow::wrap, 17), 32768 + 0.5F);
}

TEST(NarrowSums, InputsAndWeightsTakeTheirFormatsAndTheBiasStaysFloat) {
  const ir::Graph g = dot({0.3F, 9.0F, -0.26F, 0}, 0.1F);
  const NarrowNetwork network(g, {.weights = {4, 2}}, {{"x", {8, 3}}}, interpreter(g));
  const std::vector<Tensor> inputs{ir::floats({1, 4}, {1.06F, 100.0F, 2.0F, 7.0F})};
  // Weights ¼, 1¾, −¼; inputs 1, 127/8, 2.
  EXPECT_EQ(network.run(inputs)[0].data<float>()[0],
            static_cast<float>(0.25 * 1 + 1.75 * 127 / 8 - 0.25 * 2 + static_cast<double>(0.1F)));
}

// Where nothing overflows it is the network with fixed-point weights on inputs of that grid: multiples of
// 2^-8 below 0.13·4 in 16-bit weights are exact in fl 14.
TEST(NarrowSums, WithoutOverflowAreTheFloatNetworkOfFixedWeights) {
  ir::Graph graph = float_network();
  const data::Dataset set = samples(8, {1, 6, 6});
  Tensor x = set.images;
  for (float& v : x.mutable_data<float>()) v = std::floor(v * 4.0F) / 4.0F;
  graph.outputs = {graph.nodes[0].outputs[0]};
  graph.nodes.resize(1);
  graph = ir::without_dead_nodes(graph);
  for (Overflow overflow : {Overflow::saturate, Overflow::wrap}) {
    const NarrowNetwork narrow(graph, {.weights = {8, 7}, .overflow = overflow, .bits = 24}, {{"x", {8, 4}}},
                               interpreter(graph));
    const Tensor expected = ir::run(analysis::with_fixed_weights(graph, {8, 7}, overflow), {x});
    const Tensor found = narrow.run(std::vector<Tensor>{x})[0];
    EXPECT_TRUE(found == expected);
  }
}

// Against the words of the header, one sum after the other, for convolutions of every shape.
RC_GTEST_PROP(NarrowSums, AreThoseOfThePlainLoop, ()) {
  const std::int64_t groups = *rc::gen::element(1, 2);
  const std::int64_t depth = *rc::gen::inRange(1, 4);
  const std::int64_t channels = *rc::gen::inRange(1, 4);
  const std::int64_t kernel = *rc::gen::inRange(1, 4);
  const std::int64_t stride = *rc::gen::inRange(1, 3);
  const std::int64_t pad = *rc::gen::inRange<std::int64_t>(0, 3);
  const int bits = *rc::gen::element(8, 12, 16);
  const Overflow overflow = *rc::gen::element(Overflow::saturate, Overflow::wrap);
  const Tensor w =
      ir::random_floats({groups * channels, depth, kernel, kernel}, *rc::gen::arbitrary<std::uint64_t>());
  const Tensor x = ir::random_floats({2, groups * depth, 5, 6}, *rc::gen::arbitrary<std::uint64_t>());
  ir::Graph g;
  const ir::ValueId in = g.add_input("x", DType::float32, {kDynamic, groups * depth, 5, 6});
  g.outputs = {g.add_node(
      ir::Conv{.window = {.strides = {stride, stride}, .pads = {pad, pad, pad, pad}}, .groups = groups},
      {in, g.add_constant("w", w)}, "y")};
  const numeric::FixedPoint of_w{6, 3};
  const numeric::FixedPoint of_x{8, 5};
  const NarrowNetwork narrow(g, {.weights = of_w, .overflow = overflow, .bits = bits}, {{"x", of_x}},
                             interpreter(g));
  const Tensor y = narrow.run(std::vector<Tensor>{x})[0];
  std::size_t at = 0;
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t m = 0; m < groups * channels; ++m)
      for (std::int64_t oh = 0; oh < y.dim(2); ++oh)
        for (std::int64_t ow = 0; ow < y.dim(3); ++ow) {
          std::int64_t acc = 0;
          for (std::int64_t c = 0; c < depth; ++c)
            for (std::int64_t kh = 0; kh < kernel; ++kh)
              for (std::int64_t kw = 0; kw < kernel; ++kw) {
                const std::int64_t h = oh * stride - pad + kh;
                const std::int64_t v = ow * stride - pad + kw;
                if (h < 0 || h >= 5 || v < 0 || v >= 6) continue;
                const std::int64_t image = n * groups * depth + m / channels * depth + c;
                const std::int64_t tap = ((m * depth + c) * kernel + kh) * kernel + kw;
                acc +=
                    numeric::to_fixed_point(
                        x.data<float>()[static_cast<std::size_t>((image * 5 + h) * 6 + v)], of_x) *
                    numeric::to_fixed_point(w.data<float>()[static_cast<std::size_t>(tap)], of_w, overflow);
                const numeric::IntegerFormat format{bits, true, false};
                acc = overflow == Overflow::saturate ? numeric::saturate(acc, format.qmin(), format.qmax())
                                                     : numeric::wrap(acc, format);
              }
          RC_ASSERT(y.data<float>()[at++] == static_cast<float>(acc) / 256.0F);
        }
}

TEST(NarrowSums, InputFormatsHoldWhatWasSeen) {
  const auto of = [](float lo, float hi) {
    calibration::StatisticsTable seen;
    seen["x"].observe(0, std::vector<float>{lo, hi});
    return input_formats(dot({1, 1, 1, 1}, 0), seen).at("x").fraction_length;
  };
  EXPECT_EQ(of(-1, 1), 6);
  EXPECT_EQ(of(-1, 0.99F), 7);
  EXPECT_EQ(of(0, 1), 6);
  EXPECT_EQ(of(-128, 127), 0);
  EXPECT_EQ(of(0, 1000), -3);
  EXPECT_EQ(of(0, 0), 31);
  EXPECT_THROW(input_formats(dot({1, 1, 1, 1}, 0), {}), InputError);
}

TEST(NarrowSums, LayersThatTheyDoNotKnowAreRefused) {
  const auto network = [](ir::Op op, Shape x, Shape w) {
    ir::Graph g;
    const ir::ValueId in = g.add_input("x", DType::float32, std::move(x));
    g.outputs = {
        g.add_node(std::move(op), {in, g.add_constant("w", ir::random_floats(std::move(w), 1))}, "y")};
    return g;
  };
  EXPECT_NO_THROW(check_narrow_layers(network(ir::MatMul{}, {kDynamic, 2}, {2, 3})));
  EXPECT_NO_THROW(check_narrow_layers(network(ir::Gemm{}, {kDynamic, 2}, {2, 3})));
  EXPECT_THROW(check_narrow_layers(network(ir::Gemm{.alpha = 2.0F}, {kDynamic, 2}, {2, 3})),
               UnsupportedError);
  EXPECT_THROW(check_narrow_layers(network(ir::Gemm{.trans_a = true}, {2, 5}, {2, 3})), UnsupportedError);
  EXPECT_THROW(check_narrow_layers(network(ir::ConvTranspose{}, {kDynamic, 2, 4, 4}, {2, 3, 2, 2})),
               UnsupportedError);
}

// Two layers behind each other, and a value that two layers read.
TEST(NarrowSums, EveryLayerOfANetworkSeesWhatTheOnesBeforeGave) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 1});
  const ir::ValueId w = g.add_constant("w", ir::floats({1, 1}, {100}));
  const ir::ValueId h = g.add_node(ir::MatMul{}, {x, w}, "h");
  g.outputs = {g.add_node(ir::MatMul{}, {h, w}, "y"), g.add_node(ir::MatMul{}, {x, w}, "z")};
  const NarrowNetwork network(g, {.weights = {8, 0}, .bits = 8}, {{"x", {8, 0}}, {"h", {8, 0}}},
                              interpreter(g));
  const std::vector<Tensor> y = network.run(std::vector<Tensor>{ir::floats({2, 1}, {1, -2})});
  EXPECT_THAT(ir::values_of<float>(y[0]), ElementsAre(127, -128));
  EXPECT_THAT(ir::values_of<float>(y[1]), ElementsAre(100, -128));
}

}  // namespace
}  // namespace halftone::analysis
