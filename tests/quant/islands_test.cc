// Nodes that stay float, found before calibration, and the float end that is no obstacle.
#include "halftone/quant/islands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/lower/lower.h"
#include "halftone/quant/float_end.h"
#include "tests/quant/network.h"

namespace halftone::quant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A linear layer, then whatever `tail` adds behind it.
ir::Graph layer_and(const std::function<void(ir::Graph&, ir::ValueId)>& tail) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 4});
  tail(g, g.add_node(ir::MatMul{}, {x, g.add_constant("w", ir::random_floats({4, 3}, 1))}, "h"));
  return g;
}

TEST(FloatEnd, ReachesOutputsAlone) {
  const ir::Graph g = layer_and([](ir::Graph& graph, ir::ValueId h) {
    const ir::ValueId soft = graph.add_node(ir::Softmax{}, {h}, "soft");
    const ir::ValueId flat = graph.add_node(ir::Flatten{}, {soft}, "flat");
    graph.outputs = {graph.add_node(ir::ArgMax{.axis = 1}, {flat}, "best"), soft};
  });
  EXPECT_THAT(float_end(g), ElementsAre(false, true, true, true));
}

TEST(FloatEnd, NothingThatIsComputedWith) {
  const ir::Graph inner = layer_and([](ir::Graph& graph, ir::ValueId h) {
    const ir::ValueId soft = graph.add_node(ir::Softmax{}, {h}, "soft");
    graph.outputs = {soft, graph.add_node(ir::Relu{}, {soft}, "relu")};
  });
  EXPECT_THAT(float_end(inner), ElementsAre(false, false, false));
  const ir::Graph moved = layer_and(
      [](ir::Graph& graph, ir::ValueId h) { graph.outputs = {graph.add_node(ir::Flatten{}, {h}, "flat")}; });
  EXPECT_THAT(float_end(moved), ElementsAre(false, false));
}

TEST(Preflight, FindsNothingWhereIntegersWillDo) {
  const Preflight found = preflight(conv_network(), {});
  EXPECT_TRUE(found.islands.empty());
  EXPECT_FALSE(found.refusal);
}

TEST(Preflight, NamesIslandsWithReasonAndWork) {
  const ir::Graph g = layer_and([](ir::Graph& graph, ir::ValueId h) {
    const ir::ValueId soft = graph.add_node(ir::Softmax{}, {h}, "soft");
    const ir::ValueId w = graph.add_input("computed", DType::float32, {3, 2});
    graph.outputs = {graph.add_node(ir::MatMul{}, {soft, w}, "product")};
  });
  const std::vector<Island> islands = preflight(g, {}).islands;
  ASSERT_EQ(islands.size(), 2U);
  EXPECT_EQ(islands[0].op, "Softmax");
  EXPECT_THAT(islands[0].reason.text, HasSubstr("no integer form"));
  EXPECT_FALSE(islands[0].ends_network);
  EXPECT_THAT(islands[1].reason.text, HasSubstr("not constants"));
  EXPECT_EQ(islands[1].multiply_adds, 6);
}

TEST(Preflight, AgreesWithTheCalibratedNetwork) {
  const ir::Graph g = layer_and(
      [](ir::Graph& graph, ir::ValueId h) { graph.outputs = {graph.add_node(ir::Softmax{}, {h}, "soft")}; });
  const std::vector<Island> before = preflight(g, {}).islands;
  const std::vector<Island> after = islands_of(g, lower::lower(quantize(g, ranges_of(g), {}).graph));
  ASSERT_EQ(before.size(), 1U);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(before[0].name, after[0].name);
  EXPECT_TRUE(before[0].ends_network);
  EXPECT_TRUE(after[0].ends_network);
}

TEST(Preflight, SaysWhatTheArithmeticRefuses) {
  const ir::Graph g = layer_and([](ir::Graph& graph, ir::ValueId h) {
    Tensor bad = ir::random_floats({3, 2}, 1);
    bad.mutable_data<float>()[0] = std::numeric_limits<float>::infinity();
    graph.outputs = {graph.add_node(ir::MatMul{}, {h, graph.add_constant("bad", bad)}, "y")};
  });
  EXPECT_TRUE(preflight(g, {}).refusal.has_value());
}

}  // namespace
}  // namespace halftone::quant
