// Scale moves between layers, the function stays.
#include "halftone/passes/channel_pairs.h"
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

// Conv 2→3, its bound, a pool, a depthwise Conv, ReLU, Conv 3→2, and a Gemm behind a global pool.
Graph chain(std::uint64_t seed, const ir::Op& bound) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 6, 6});
  const auto constant = [&](const char* name, Shape shape) {
    return g.add_constant(name, random_floats(std::move(shape), seed++));
  };
  ValueId y = g.add_node(ir::Conv{}, {x, constant("w1", {3, 2, 2, 2}), constant("b1", {3})}, "conv1");
  y = g.add_node(bound, {y}, "bound1");
  y = g.add_node(ir::MaxPool{{.kernel = {2, 2}}}, {y}, "pool");
  y = g.add_node(ir::Conv{.groups = 3}, {y, constant("w2", {3, 1, 2, 2}), constant("b2", {3})}, "conv2");
  y = g.add_node(ir::Relu{}, {y}, "relu2");
  y = g.add_node(ir::Conv{}, {y, constant("w3", {2, 3, 1, 1})}, "conv3");
  y = g.add_node(ir::LeakyRelu{.alpha = 0.25F}, {y}, "leaky");
  y = g.add_node(ir::GlobalAveragePool{}, {y}, "mean");
  y = g.add_node(ir::Flatten{}, {y}, "flat");
  g.outputs = {g.add_node(ir::Gemm{}, {y, constant("w4", {2, 2}), constant("b4", {2})}, "scores")};
  return g;
}

double largest_ratio(const Graph& g, const ChannelPair& pair) {
  const auto given = giving_ranges(g, pair);
  const auto taken = taking_ranges(g, pair);
  double largest = 1.0;
  for (std::size_t c = 0; c < given.size(); ++c)
    largest = std::max({largest, given[c] / taken[c], taken[c] / given[c]});
  return largest;
}

RC_GTEST_PROP(EqualizeCrossLayer, KeepsTheFunctionAndEvensThePairs, ()) {
  for (const ir::Op& bound : {ir::Op(ir::Relu{}), ir::Op(ir::Clip{0.0F, 6.0F}), ir::Op(ir::Clip{.lo = 0.0F})}) {
    const Graph g = chain(any_seed(), bound);
    const Graph even = equalize_cross_layer(g);
    RC_ASSERT(count<ir::Clip>(even) == 0);
    const double hi = std::holds_alternative<ir::Clip>(bound) ? std::get<ir::Clip>(bound).hi : HUGE_VAL;
    RC_ASSERT(count<ir::Min>(even) == (std::isfinite(hi) ? 1 : 0));
    // Sums of 8, 4, 3 and 2 products, each below 16 times what came before.
    RC_ASSERT(difference(g, even, 8.0 * 16 * 4 * 4 * 3 * 4 * 2 * 4) == std::nullopt);
    for (const ChannelPair& pair : channel_pairs(even)) RC_ASSERT(largest_ratio(even, pair) < 1.01);
  }
}

TEST(EqualizeCrossLayer, FindsPairsThroughPoolsAndBounds) {
  const Graph g = chain(1, ir::Clip{0.0F, 6.0F});
  const auto pairs = channel_pairs(g);
  ASSERT_EQ(pairs.size(), 2u);  // Flatten ends the third
  EXPECT_EQ(g.nodes[static_cast<std::size_t>(pairs[0].first)].name, g.nodes[0].name);
  EXPECT_EQ(pairs[0].second, 3);
  EXPECT_EQ(pairs[0].between, (std::vector<int>{1, 2}));
  EXPECT_EQ(pairs[1].first, 3);
  EXPECT_EQ(pairs[1].second, 5);
}

TEST(EqualizeCrossLayer, NotWhereAnotherNodeReadsOrTheValueIsAnOutput) {
  Graph read = chain(1, ir::Relu{});
  read.outputs.push_back(read.find("bound1").value());
  EXPECT_EQ(channel_pairs(read).size(), 1u);
  Graph other = chain(1, ir::Relu{});
  other.outputs.push_back(other.add_node(ir::Tanh{}, {other.find("relu2").value()}, "tanh"));
  EXPECT_EQ(channel_pairs(other).size(), 1u);
  EXPECT_EQ(channel_pairs(chain(1, ir::Tanh{})).size(), 1u);
  EXPECT_EQ(channel_pairs(chain(1, ir::Clip{-1.0F, 6.0F})).size(), 1u);
}

TEST(EqualizeCrossLayer, LeavesDeadChannelsAlone) {
  Graph g = chain(1, ir::Relu{});
  Tensor w = *g.value(g.find("w1").value()).constant;
  for (std::size_t i = 0; i < 8; ++i) w.mutable_data<float>()[i] = i == 0 ? 1e-9F : 0.0F;
  g.value(g.find("w1").value()).constant = w;
  const Graph even = equalize_cross_layer(g);
  expect_same(g, even, 8.0 * 16 * 4 * 4 * 3 * 4 * 2 * 4);
  const auto b = even.constant(even.nodes[0].inputs[2])->data<float>();
  EXPECT_EQ(b[0], g.constant(g.nodes[0].inputs[2])->data<float>()[0]);
}

TEST(EqualizeCrossLayer, OnHandWorkedNumbers) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 1});
  const ValueId y = g.add_node(ir::Gemm{.trans_b = true}, {x, g.add_constant("w", floats({2, 1}, {8, 1})),
                                                           g.add_constant("b", floats({2}, {4, 2}))},
                               "y");
  const ValueId z = g.add_node(ir::Relu{}, {y}, "z");
  g.outputs = {g.add_node(ir::Gemm{}, {z, g.add_constant("v", floats({2, 1}, {2, 4}))}, "s")};
  const Graph even = equalize_cross_layer(g);
  // s = √(8·2)/2 = 2 and √(1·4)/4 = 1/2.
  EXPECT_THAT(ir::values_of<float>(*even.constant(even.nodes[0].inputs[1])), testing::ElementsAre(4, 2));
  EXPECT_THAT(ir::values_of<float>(*even.constant(even.nodes[0].inputs[2])), testing::ElementsAre(2, 4));
  EXPECT_THAT(ir::values_of<float>(*even.constant(even.nodes[2].inputs[1])), testing::ElementsAre(4, 2));
}

}  // namespace
}  // namespace halftone::passes
