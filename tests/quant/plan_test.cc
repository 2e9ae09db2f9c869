// The role of every node, and which values get a pair.
#include "halftone/quant/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/quant/network.h"

namespace halftone::quant {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> quantized_values(const ir::Graph& graph) {
  const Plan decided = plan(graph);
  std::vector<std::string> names;
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (decided.quantized[v]) names.push_back(graph.values[v].name);
  return names;
}

std::string like(const ir::Graph& graph, std::string_view name) {
  return graph.value(plan(graph).scale_class.at(static_cast<std::size_t>(*graph.find(name)))).name;
}

TEST(Plan, RolesOfAConvNetwork) {
  const ir::Graph g = conv_network();
  EXPECT_THAT(plan(g).role, ElementsAre(Role::linear, Role::fused, Role::move, Role::move, Role::linear));
  EXPECT_THAT(quantized_values(g), ElementsAre("x", "relu", "pool", "flat", "scores"));
}

TEST(Plan, MovesToKeptNodesAloneStayFloat) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 2});
  const ir::ValueId turned = g.add_node(ir::Transpose{{0, 2, 1}}, {x}, "turned");
  const ir::ValueId flat = g.add_node(ir::Flatten{}, {turned}, "flat");
  const ir::ValueId a = g.add_node(ir::Gemm{}, {flat, g.add_constant("w", ir::random_floats({4, 3}, 1))}, "a");
  const ir::ValueId b = g.add_node(ir::Gemm{}, {flat, g.add_constant("v", ir::random_floats({4, 3}, 2))}, "b");
  g.outputs = {g.add_node(ir::Add{}, {a, b}, "sum")};
  using enum Role;
  EXPECT_THAT(plan(g, {false, false, true, true, false}).role, ElementsAre(floating, floating, floating, floating, compute));
  EXPECT_THAT(plan(g, {false, false, true, false, false}).role, ElementsAre(move, move, floating, linear, compute));
  EXPECT_EQ(plan(g, {false, false, true, true, false}).reason[0].cause, qgraph::FloatCause::kept);
}

TEST(Plan, MovedValuesTakeTheScaleOfWhatIsMoved) {
  const ir::Graph g = conv_network();
  EXPECT_EQ(like(g, "pool"), "relu");
  EXPECT_EQ(like(g, "flat"), "relu");
  EXPECT_EQ(like(g, "scores"), "scores");
}

// x [N, 2] through two Gemms, joined and turned.
ir::Graph joining_network() {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ir::ValueId a = g.add_node(ir::Gemm{}, {x, g.add_constant("w", ir::random_floats({2, 3}, 1))}, "a");
  const ir::ValueId b = g.add_node(ir::Gemm{}, {x, g.add_constant("v", ir::random_floats({2, 1}, 2))}, "b");
  const ir::ValueId r = g.add_node(ir::Relu{}, {b}, "r");
  const ir::ValueId joined = g.add_node(ir::Concat{1}, {a, r}, "joined");
  const ir::ValueId wide = g.add_node(ir::Unsqueeze{{2}}, {joined}, "wide");
  const ir::ValueId turned = g.add_node(ir::Transpose{{0, 2, 1}}, {wide}, "turned");
  const ir::ValueId flat = g.add_node(ir::Squeeze{{1}}, {turned}, "flat");
  g.outputs = {g.add_node(ir::Gemm{}, {flat, g.add_constant("u", ir::random_floats({4, 2}, 3))}, "scores")};
  return g;
}

TEST(Plan, WhatConcatJoinsSharesOneScaleWithTheResult) {
  const ir::Graph g = joining_network();
  EXPECT_THAT(plan(g).role, ElementsAre(Role::linear, Role::linear, Role::fused, Role::move, Role::move,
                                        Role::move, Role::move, Role::linear));
  EXPECT_THAT(quantized_values(g),
              testing::UnorderedElementsAre("x", "a", "r", "joined", "wide", "turned", "flat", "scores"));
  for (const char* name : {"r", "joined", "wide", "turned", "flat"}) EXPECT_EQ(like(g, name), like(g, "a"));
  for (const char* name : {"x", "scores"}) EXPECT_EQ(like(g, name), name);
}

TEST(Plan, TwoConcatsOfOneValueMakeOneClass) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ir::ValueId t = g.add_node(ir::Tanh{}, {x}, "t");
  const ir::ValueId s = g.add_node(ir::Sigmoid{}, {x}, "s");
  const ir::ValueId e = g.add_node(ir::Erf{}, {x}, "e");
  g.outputs = {g.add_node(ir::Concat{1}, {t, s}, "ts"), g.add_node(ir::Concat{1}, {e, s}, "es")};
  for (const char* name : {"s", "e", "ts", "es"}) EXPECT_EQ(like(g, name), like(g, "t"));
  EXPECT_EQ(like(g, "x"), "x");
}

TEST(Plan, AConcatOfAConstantStaysFloat) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {2, 2});
  const ir::ValueId c = g.add_constant("c", ir::floats({2, 1}, {1, 2}));
  g.outputs = {g.add_node(ir::Concat{1}, {x, c}, "y")};
  EXPECT_THAT(plan(g).role, ElementsAre(Role::floating));
  EXPECT_THAT(float_nodes(g).at(0).reason.text, HasSubstr("constant"));
}

TEST(Plan, WhatMaxChoosesFromSharesOneScaleWithTheResult) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {2, 2});
  const ir::ValueId t = g.add_node(ir::Tanh{}, {x}, "t");
  const ir::ValueId y = g.add_node(ir::Max{}, {x, t}, "y");
  const ir::ValueId r = g.add_node(ir::Relu{}, {y}, "r");
  g.outputs = {g.add_node(ir::Min{}, {r, g.add_constant("c", ir::floats({2, 1}, {1, 2}))}, "m")};
  EXPECT_THAT(plan(g).role, ElementsAre(Role::table, Role::move, Role::table, Role::floating));
  EXPECT_EQ(like(g, "t"), like(g, "x"));
  EXPECT_EQ(like(g, "y"), like(g, "x"));
  EXPECT_EQ(float_nodes(g).at(0).reason.text, "one operand is a constant");
}

TEST(Plan, AReluThatIsNotTheOnlyReaderIsATable) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ir::ValueId y = g.add_node(ir::Gemm{}, {x, g.add_constant("w", ir::random_floats({2, 2}, 1))}, "y");
  g.outputs = {g.add_node(ir::Relu{}, {y}, "r"), y};
  EXPECT_THAT(plan(g).role, ElementsAre(Role::linear, Role::table));
  EXPECT_THAT(quantized_values(g), ElementsAre("x", "y", "r"));
}

TEST(Plan, AReluAtTheStartOrAfterAMoveIsATable) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 1, 4, 4});
  const ir::ValueId r = g.add_node(ir::Relu{}, {x}, "r");
  const ir::ValueId p = g.add_node(ir::MaxPool{{.kernel = {2, 2}}}, {r}, "p");
  g.outputs = {g.add_node(ir::Clip{0, 1}, {p}, "c")};
  EXPECT_THAT(plan(g).role, ElementsAre(Role::table, Role::move, Role::table));
}

TEST(Plan, BoundsInAChainAllFuse) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ir::ValueId sum = g.add_node(ir::Add{}, {x, x}, "sum");
  const ir::ValueId r = g.add_node(ir::Relu{}, {sum}, "r");
  g.outputs = {g.add_node(ir::Clip{0, 6}, {r}, "c")};
  EXPECT_THAT(plan(g).role, ElementsAre(Role::compute, Role::fused, Role::fused));
  EXPECT_THAT(quantized_values(g), ElementsAre("x", "c"));
}

TEST(Plan, APReluIsATableWhereItsSlopesAreOneConstantAChannel) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 3});
  const ir::ValueId a = g.add_node(ir::PRelu{}, {x, g.add_constant("each", ir::floats({2, 1}, {1, 2}))}, "a");
  const ir::ValueId b =
      g.add_node(ir::PRelu{}, {a, g.add_constant("along", ir::floats({3}, {1, 2, 3}))}, "b");
  const ir::ValueId c = g.add_node(ir::PRelu{}, {b, g.add_input("computed", DType::float32, {2, 1})}, "c");
  g.outputs = {c};
  EXPECT_THAT(plan(g).role, ElementsAre(Role::table, Role::floating, Role::floating));
  EXPECT_THAT(quantized_values(g), ElementsAre("x", "a"));
  for (const FloatNode& node : float_nodes(g)) EXPECT_THAT(node.reason.text, HasSubstr("its slopes"));
}

TEST(Plan, AnOpWithOneConstantOperandIsATableUnlessItRunsAlongAnotherDimension) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 3});
  const ir::ValueId a = g.add_node(ir::Sub{}, {g.add_constant("one", ir::floats({}, {1})), x}, "a");
  const ir::ValueId b = g.add_node(ir::Add{}, {a, g.add_constant("each", ir::floats({2, 1}, {1, 2}))}, "b");
  g.outputs = {g.add_node(ir::Mul{}, {b, g.add_constant("along", ir::floats({3}, {1, 2, 3}))}, "c")};
  EXPECT_THAT(plan(g).role, ElementsAre(Role::table, Role::table, Role::floating));
  EXPECT_THAT(quantized_values(g), ElementsAre("x", "a", "b"));
  EXPECT_THAT(float_nodes(g).at(0).reason.text, HasSubstr("one operand is a constant"));
}

TEST(Plan, FloatNodesSayWhy) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ir::ValueId w = g.add_input("w", DType::float32, {2, 2});
  const ir::ValueId v = g.add_constant("v", ir::floats({2, 2}, {1, 2, 3, 4}));
  const ir::ValueId soft = g.add_node(ir::Softmax{}, {x}, "soft");
  const ir::ValueId moved = g.add_node(ir::Flatten{}, {soft}, "moved");
  const ir::ValueId mat = g.add_node(ir::MatMul{}, {moved, w}, "mat");
  const ir::ValueId gemm = g.add_node(ir::Gemm{.alpha = 2}, {mat, v}, "alpha");
  const ir::ValueId transposed =
      g.add_node(ir::Gemm{.trans_a = true}, {g.add_input("t", DType::float32, {2, 3}), v}, "trans");
  const ir::ValueId bias =
      g.add_node(ir::Gemm{}, {gemm, v, g.add_constant("one", ir::floats({1}, {1}))}, "bias");
  g.outputs = {bias, transposed};
  const auto nodes = float_nodes(g);
  ASSERT_EQ(nodes.size(), 6u);
  const char* reasons[] = {"Softmax has no integer form",
                           "its input is float",
                           "its weights are not constants",
                           "alpha",
                           "transA",
                           "its bias"};
  for (std::size_t i = 0; i < nodes.size(); ++i)
    EXPECT_THAT(nodes[i].reason.text, HasSubstr(reasons[i])) << nodes[i].node;
  EXPECT_THAT(nodes[0].node, HasSubstr("soft"));
  EXPECT_TRUE(quantized_values(g).empty());
}

TEST(Plan, AQuantizedNetworkIsQuantizedAlready) {
  const ir::Graph g = conv_network();
  const auto nodes = float_nodes(quantize(g, ranges_of(g), {}).graph);
  EXPECT_TRUE(std::ranges::any_of(
      nodes, [](const FloatNode& n) { return n.reason.text == "the network is quantized already"; }));
}

// C of shape [3, 1] adds a number to each row, not to each channel.
TEST(Plan, ABiasDownTheRowsIsNoBiasOfTheChannels) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {3, 2});
  g.outputs = {g.add_node(ir::Gemm{},
                          {x, g.add_constant("w", ir::random_floats({2, 3}, 1)),
                           g.add_constant("c", ir::floats({3, 1}, {1, 2, 3}))},
                          "y")};
  EXPECT_THAT(plan(g).role, ElementsAre(Role::floating));
}

}  // namespace
}  // namespace halftone::quant
