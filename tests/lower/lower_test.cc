// Nodes that fuse, float islands and their reasons, and names of values.
#include "tests/lower/network.h"

namespace halftone::qgraph {
namespace {

using testing::HasSubstr;

TEST(Lower, FusesReluAndClipIntoTheBounds) {
  for (const ir::Op& bound :
       {ir::Op(ir::Relu{}), ir::Op(ir::Clip{-1.0F, 6.0F}), ir::Op(ir::Clip{.hi = 1.5F})}) {
    Network g;
    const ir::ValueId y = g.pair(g.node(bound, {g.gemm(g.start(), "gemm")}, "bound"), kQuarter, "y");
    const QuantizedGraph quantized = g.lowered(y);
    EXPECT_EQ(ops_of(quantized), "Quantize Gemm Dequantize");
    EXPECT_TRUE(quantized.integer_only());
    expect_like_simulation(g.graph, quantized);
  }
}

TEST(Lower, FoldedBoundsAreQuantizedInTheOutputsScale) {
  Network g;
  const ir::ValueId y =
      g.pair(g.node(ir::Clip{-1.0F, 6.0F}, {g.gemm(g.start(), "gemm")}, "clip"), kQuarter, "y");
  const QuantizedGraph quantized = g.lowered(y);
  const numeric::OutputBounds bounds =
      std::get<Gemm>(find_node<Gemm>(quantized)->op).linear.requantizer.bounds;
  EXPECT_EQ(bounds, (numeric::OutputBounds{3, -1, 27}));
}

TEST(Lower, FusesAChainOfBounds) {
  const std::pair<ir::Op, ir::Op> chains[] = {{ir::Relu{}, ir::Clip{-2.0F, 3.0F}},
                                              {ir::Clip{0.0F, 4.0F}, ir::Clip{1.0F, 8.0F}},
                                              {ir::Clip{0.0F, 1.0F}, ir::Clip{2.0F, 3.0F}},  // always 2
                                              {ir::Clip{2.0F, 3.0F}, ir::Clip{0.0F, 1.0F}},  // always 1
                                              {ir::Relu{}, ir::Clip{-3.0F, -1.0F}}};         // always −1
  for (std::size_t i = 0; i < std::size(chains); ++i) {
    Network g;
    const ir::ValueId first = g.node(chains[i].first, {g.gemm(g.start(), "gemm")}, "first");
    const QuantizedGraph quantized =
        g.lowered(g.pair(g.node(chains[i].second, {first}, "second"), kQuarter, "y"));
    EXPECT_TRUE(quantized.integer_only());
    SCOPED_TRACE(i);
    expect_like_simulation(g.graph, quantized);
  }
}

TEST(Lower, AReluWhoseInputIsReadElsewhereDoesNotFuse) {
  Network g;
  const ir::ValueId sum = g.gemm(g.start(), "gemm");
  const ir::ValueId y = g.pair(g.node(ir::Relu{}, {sum}, "relu"), kQuarter, "y");
  g.graph.outputs = {y, g.node(ir::Softmax{}, {sum}, "soft")};
  const QuantizedGraph quantized = lower::lower(g.graph);
  EXPECT_EQ(std::ranges::count_if(quantized.nodes,
                                  [](const Node& n) { return std::holds_alternative<Gemm>(n.op); }),
            0);
  expect_like_simulation(g.graph, quantized);
}

TEST(Lower, IslandsSayWhy) {
  Network softmax;
  EXPECT_THAT(reason_of(softmax.lowered(
                  softmax.pair(softmax.node(ir::Softmax{}, {softmax.start()}, "s"), kHalf, "y"))),
              HasSubstr("Softmax has no integer form"));
  Network unquantized;
  EXPECT_EQ(reason_of(unquantized.lowered(unquantized.gemm(unquantized.input({kDynamic, 2}), "gemm"))),
            "its input is not quantized");
  Network open;
  EXPECT_EQ(reason_of(open.lowered(open.gemm(open.start(), "gemm"))), "its output is not quantized");
  Network weights;
  const ir::ValueId w = weights.graph.add_constant("w", ir::floats({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(reason_of(weights.lowered(
                weights.pair(weights.node(ir::MatMul{}, {weights.start(), w}, "m"), kHalf, "y"))),
            "its weights are not quantized constants");
  Network axis;
  const ir::ValueId v = axis.weights(int8s({2, 2}, {1, 2, 3, 4}), {0.5F, 0.25F}, {0, 0}, 1, "v");
  EXPECT_EQ(reason_of(axis.lowered(
                axis.pair(axis.node(ir::Gemm{.trans_b = true}, {axis.start(), v}, "m"), kHalf, "y"))),
            "its weights are quantized along axis 1");
  Network trans;
  const ir::ValueId t = trans.pair(trans.input({2, 3}), kHalf, "q");
  EXPECT_EQ(reason_of(trans.lowered(trans.pair(
                trans.node(ir::Gemm{.trans_a = true}, {t, trans.gemm_weights("w")}, "m"), kHalf, "y"))),
            "transA is set");
  Network alpha;
  EXPECT_EQ(
      reason_of(alpha.lowered(alpha.pair(
          alpha.node(ir::Gemm{.alpha = 2.0F}, {alpha.start(), alpha.gemm_weights("w")}, "m"), kHalf, "y"))),
      "alpha or beta is not 1");
}

TEST(Lower, AnIslandBetweenIntegersKeepsTheFunction) {
  Network g;
  const ir::ValueId soft =
      g.pair(g.node(ir::Softmax{}, {g.pair(g.gemm(g.start(), "a"), kQuarter, "mid")}, "soft"), kHalf, "sq");
  const QuantizedGraph quantized = g.lowered(g.pair(g.gemm(soft, "b"), kQuarter, "y"));
  EXPECT_EQ(ops_of(quantized), "Quantize Gemm Dequantize Island Quantize Gemm Dequantize");
  EXPECT_FALSE(quantized.integer_only());
  expect_like_simulation(g.graph, quantized);
}

TEST(Lower, ATableFollowedByAReluIsLoweredSomehow) {
  for (const ir::Op& first : {ir::Op(ir::Sigmoid{}), ir::Op(ir::Relu{}), ir::Op(ir::Clip{-1.0F, 1.0F})}) {
    Network g;
    const ir::ValueId y = g.node(ir::Relu{}, {g.node(first, {g.start()}, "first")}, "relu");
    QuantizedGraph quantized;
    ASSERT_NO_THROW(quantized = g.lowered(g.pair(y, kQuarter, "y"))) << ir::name_of(first);
    expect_like_simulation(g.graph, quantized);
  }
}

TEST(Lower, APReluFollowedByAReluKeepsBoth) {
  Network g;
  const ir::ValueId slope = g.graph.add_constant("slope", ir::floats({2}, {-1.0F, 0.5F}));
  const ir::ValueId bent = g.node(ir::PRelu{}, {g.start(), slope}, "bent");
  const QuantizedGraph quantized = g.lowered(g.pair(g.node(ir::Relu{}, {bent}, "relu"), kQuarter, "y"));
  expect_like_simulation(g.graph, quantized);
}

TEST(Lower, ConstantsQuantizedAtLoadTimeAreWeights) {
  Network g;
  const ir::ValueId w = g.graph.add_constant("w", ir::floats({2, 2}, {0.5F, -1.0F, 1.5F, 2.0F}));
  const QuantizedGraph quantized = g.lowered(
      g.pair(g.node(ir::Gemm{.trans_b = true}, {g.start(), g.pair(w, kHalf, "wq")}, "gemm"), kQuarter, "y"));
  EXPECT_TRUE(quantized.integer_only());
  EXPECT_THAT(centred_weights(std::get<Gemm>(find_node<Gemm>(quantized)->op).linear), testing::ElementsAre(1, -2, 3, 4));
}

TEST(Lower, MovesWorkOnTheIntegersAndTakeTheNameOfTheirQuantize) {
  Network g;
  const ir::ValueId x = g.start(kHalf, {kDynamic, 1, 4, 4});
  const ir::ValueId pool =
      g.pair(g.node(ir::MaxPool{{.kernel = {2, 2}, .strides = {2, 2}}}, {x}, "pool"), kHalf, "pq");
  const ir::ValueId flat = g.pair(g.node(ir::Flatten{}, {pool}, "flat"), kHalf, "fq");
  const ir::ValueId shape = g.graph.add_constant("shape", ir::int64s({0, 2, 2}));
  const QuantizedGraph quantized =
      g.lowered(g.pair(g.node(ir::Reshape{}, {flat, shape}, "shaped"), kHalf, "y"));
  EXPECT_EQ(ops_of(quantized), "Quantize MaxPool Move Move Dequantize");
  const Tensor x0 = ir::random_floats({2, 1, 4, 4}, 1);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : run_integers(quantized, {x0})) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("fq", "pq", "q", "y"));
  expect_like_simulation(g.graph, quantized);
}

TEST(Lower, QuantizingTwiceOnOneGridGivesBothNames) {
  Network g;
  const ir::ValueId once = g.start();
  const QuantizedGraph quantized = g.lowered(g.pair(once, kHalf, "again"));
  const Integers integers = run_integers(quantized, {ir::random_floats({3, 2}, 2)});
  ASSERT_TRUE(integers.contains("q") && integers.contains("again"));
  EXPECT_TRUE(integers.at("q") == integers.at("again"));
}

TEST(Lower, TwoQuantizesOfOneMoveKeepBothNames) {
  Network g;
  const ir::ValueId flat = g.node(ir::Flatten{}, {g.start()}, "flat");
  g.graph.outputs = {g.pair(flat, kHalf, "first"), g.pair(flat, kHalf, "second")};
  const QuantizedGraph quantized = lower::lower(g.graph);
  const Integers integers = run_integers(quantized, {ir::random_floats({3, 2}, 2)});
  EXPECT_TRUE(integers.contains("first") && integers.contains("second"));
  expect_like_simulation(g.graph, quantized);
}

TEST(Lower, UnequalScalesAroundAMoveAreRequantized) {
  Network g;
  const ir::ValueId x = g.start(kHalf, {kDynamic, 1, 4, 4});
  const QuantizedGraph quantized =
      g.lowered(g.pair(g.node(ir::MaxPool{{.kernel = {2, 2}}}, {x}, "pool"), kQuarter, "y"));
  EXPECT_EQ(ops_of(quantized), "Quantize MaxPool Requantize Dequantize");
  expect_like_simulation(g.graph, quantized);
}

TEST(Lower, AMoveStaysInIntegersWhateverElseReadsItsInput) {
  for (bool softmax_first : {false, true}) {
    Network g;
    const ir::ValueId x = g.start(kHalf, {kDynamic, 1, 4, 4});
    ir::ValueId soft = ir::kNoValue;
    if (softmax_first) soft = g.node(ir::Softmax{}, {x}, "soft");
    const ir::ValueId y = g.pair(g.node(ir::MaxPool{{.kernel = {2, 2}}}, {x}, "pool"), kHalf, "y");
    if (!softmax_first) soft = g.node(ir::Softmax{}, {x}, "soft");
    g.graph.outputs = {y, soft};
    EXPECT_NE(find_node<MaxPool>(lower::lower(g.graph)), nullptr) << softmax_first;
  }
}

TEST(Lower, TheSimulationsNamesAreTheIntegersNames) {
  Network g;
  const ir::ValueId a = g.pair(g.gemm(g.start(), "a"), kQuarter, "aq");
  const ir::ValueId b = g.pair(g.node(ir::Sigmoid{}, {a}, "b"), {0x1p-7F, -128, DType::int8}, "bq");
  const QuantizedGraph quantized = g.lowered(g.pair(g.node(ir::Add{}, {a, b}, "sum"), kHalf, "sq"));
  const Integers integers = run_integers(quantized, {ir::random_floats({2, 2}, 1)});
  for (const ir::Node& node : g.graph.nodes) {
    const bool quantize = std::holds_alternative<ir::QuantizeLinear>(node.op);
    EXPECT_TRUE(!quantize || integers.contains(g.graph.value(node.outputs[0]).name)) << node.name;
  }
}

// Numbers that a Gather takes from a float table are weights of nobody.
TEST(Lower, AFloatTableIsNoCodebook) {
  Network g;
  const ir::ValueId table = g.graph.add_constant("table", ir::floats({4}, {1, 2, 3, 4}));
  const ir::ValueId places = g.graph.add_constant("places", ir::int64s({3, 0}));
  const ir::ValueId row = g.node(ir::Identity{}, {g.node(ir::Gather{}, {table, places}, "row")}, "same");
  const QuantizedGraph quantized = g.lowered(g.node(ir::Greater{}, {g.start(), row}, "greater"));
  EXPECT_NE(find_node<Island>(quantized), nullptr);
}

// Each operator on integers by itself says that a file is quantized.
TEST(IsQuantized, WithoutAQuantizeToo) {
  for (const ir::Op& op : {ir::Op(ir::QLinearAdd{}), ir::Op(ir::QLinearConcat{}), ir::Op(ir::QLinearGlobalAveragePool{}),
                           ir::Op(ir::QLinearConv{}), ir::Op(ir::QGemm{}), ir::Op(ir::Quant{})}) {
    ir::Graph g;
    g.nodes.push_back({.name = "node", .op = op, .inputs = {}, .outputs = {}});
    EXPECT_TRUE(lower::is_quantized(g)) << ir::name_of(op);
  }
  ir::Graph real;
  real.nodes.push_back({.name = "node", .op = ir::Add{}, .inputs = {}, .outputs = {}});
  EXPECT_FALSE(lower::is_quantized(real));
}

}  // namespace
}  // namespace halftone::qgraph
