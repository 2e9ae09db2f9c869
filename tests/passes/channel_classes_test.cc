// Channels are followed over sums, joins and reshapes, and scaled at every end at once.
#include "halftone/passes/channel_classes.h"

#include "halftone/passes/pass.h"
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

class Layers {
 public:
  explicit Layers(std::uint64_t seed) : seed_(seed) {}
  Graph graph;

  ValueId conv(ValueId x, std::int64_t in, std::int64_t out, const std::string& name, std::int64_t groups = 1) {
    return graph.add_node(ir::Conv{.groups = groups},
                          {x, constant(name + "_w", {out, in / groups, 1, 1}), constant(name + "_b", {out})}, name);
  }
  ValueId gemm(ValueId x, std::int64_t in, std::int64_t out, const std::string& name) {
    return graph.add_node(ir::Gemm{}, {x, constant(name + "_w", {in, out}), constant(name + "_b", {out})}, name);
  }
  ValueId constant(const std::string& name, Shape shape) {
    return graph.add_constant(name, random_floats(std::move(shape), seed_++));
  }

 private:
  std::uint64_t seed_;
};

// A residual sum, a join of two branches that two layers take, a pool, and a Gemm over what is left of the plane.
Graph network(std::uint64_t seed) {
  Layers l(seed);
  Graph& g = l.graph;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 4, 4});
  const ValueId a = g.add_node(ir::Relu{}, {l.conv(x, 2, 3, "a")}, "a_relu");
  const ValueId b = l.conv(a, 3, 3, "b");
  const ValueId sum = g.add_node(ir::Relu{}, {g.add_node(ir::Add{}, {a, b}, "sum")}, "sum_relu");
  const ValueId c = g.add_node(ir::LeakyRelu{.alpha = 0.5F}, {l.conv(sum, 3, 4, "c")}, "c_relu");
  const ValueId joined = g.add_node(ir::Concat{.axis = 1}, {c, sum}, "joined");
  const ValueId d = l.conv(joined, 7, 2, "d");
  const ValueId e = l.conv(joined, 7, 7, "e", 7);
  const ValueId pooled = g.add_node(ir::AveragePool{{.kernel = {2, 2}, .strides = {2, 2}}}, {e}, "pooled");
  const ValueId flat = g.add_node(ir::Flatten{}, {pooled}, "flat");
  g.outputs = {l.gemm(flat, 28, 5, "scores"), d};
  return g;
}

std::vector<std::string> nodes_of(const Graph& g, const std::vector<ChannelPlace>& places) {
  std::vector<std::string> names;
  for (const ChannelPlace& place : places) names.push_back(g.nodes[place.node].name + std::to_string(place.channel));
  std::ranges::sort(names);
  return names;
}

TEST(ChannelClasses, GoOverSumsJoinsAndReshapes) {
  const Graph g = network(1);
  const auto classes = channel_classes(g);
  // Three of a, b and the sum; four of c; seven of e. d ends at an output.
  ASSERT_EQ(classes.size(), 14U);
  EXPECT_THAT(nodes_of(g, classes[0].gives), testing::ElementsAre("a0", "b0"));
  EXPECT_THAT(nodes_of(g, classes[0].takes), testing::ElementsAre("b0", "c0", "d4", "e4"));
  EXPECT_THAT(nodes_of(g, classes[3].gives), testing::ElementsAre("c0"));
  EXPECT_THAT(nodes_of(g, classes[3].takes), testing::ElementsAre("d0", "e0"));
  EXPECT_THAT(nodes_of(g, classes[7].gives), testing::ElementsAre("e0"));
  EXPECT_THAT(nodes_of(g, classes[7].takes), testing::ElementsAre("scores0", "scores1", "scores2", "scores3"));
}

RC_GTEST_PROP(ChannelClasses, ScalingThemKeepsTheFunction, ()) {
  const Graph g = network(any_seed());
  const auto classes = channel_classes(g);
  std::vector<double> scale;
  for (std::size_t i = 0; i < classes.size(); ++i) scale.push_back(std::ldexp(1.0, choose(12) - 6));
  Graph scaled = g;
  rescale(scaled, classes, scale);
  // Powers of two change no rounding but that of sums: seven products of three layers each below 16 times the last.
  RC_ASSERT(difference(g, ir::without_dead_nodes(scaled), 28.0 * 7 * 16 * 7 * 16 * 64) == std::nullopt);
}

// A Min by channel moves; one along another dimension, of a value of one dimension, or of no channels ends them.
TEST(ChannelClasses, BoundsAreByChannel) {
  const auto with_bound = [](Shape bound) {
    Layers l(3);
    const ValueId x = l.graph.add_input("x", DType::float32, {kDynamic, 2, 4, 4});
    const ValueId y = l.graph.add_node(ir::Min{}, {l.conv(x, 2, 4, "a"), l.constant("m", std::move(bound))}, "y");
    l.graph.outputs = {l.conv(y, 4, 2, "b")};
    return l.graph;
  };
  for (const Shape& bound : {Shape{4, 1, 1}, Shape{1, 4, 1, 1}}) {
    Graph g = with_bound(bound);
    const auto classes = channel_classes(g);
    ASSERT_EQ(classes.size(), 4U);
    const Graph before = g;
    rescale(g, classes, {2.0, 0.25, 8.0, 1.0});
    EXPECT_EQ(difference(before, ir::without_dead_nodes(g), 64.0), std::nullopt);
  }
  for (const Shape& bound : {Shape{4}, Shape{1, 4}, Shape{4, 1}, Shape{}, Shape{1}})
    EXPECT_TRUE(channel_classes(with_bound(bound)).empty()) << to_string(bound);
  Graph flat;
  const ValueId x = flat.add_input("x", DType::float32, {4});
  flat.outputs = {flat.add_node(ir::Min{}, {x, flat.add_constant("m", floats({4}, {1, 2, 3, 4}))}, "y")};
  EXPECT_TRUE(channel_classes(flat).empty());
}

// A node that no scale passes ends a channel, and so do the graph's inputs and outputs.
TEST(ChannelClasses, EndWhereNoScalePasses) {
  for (const ir::Op& op : {ir::Op(ir::Tanh{}), ir::Op(ir::Clip{0.0F, 6.0F}), ir::Op(ir::Softmax{})}) {
    Layers l(3);
    const ValueId x = l.graph.add_input("x", DType::float32, {kDynamic, 2, 4, 4});
    const ValueId y = l.graph.add_node(op, {l.conv(x, 2, 3, "a")}, "y");
    l.graph.outputs = {l.conv(y, 3, 2, "b")};
    EXPECT_TRUE(channel_classes(l.graph).empty());
  }
  Layers l(4);
  const ValueId x = l.graph.add_input("x", DType::float32, {kDynamic, 2, 4, 4});
  const ValueId a = l.conv(x, 2, 2, "a");
  const ValueId sum = l.graph.add_node(ir::Add{}, {a, x}, "sum");
  l.graph.outputs = {l.conv(sum, 2, 2, "b")};
  EXPECT_TRUE(channel_classes(l.graph).empty());  // x joins a's channels
  l.graph.nodes[1].inputs[1] = l.constant("c", {1, 2, 1, 1});
  EXPECT_TRUE(channel_classes(l.graph).empty());  // a constant is not scaled
}

}  // namespace
}  // namespace halftone::passes
