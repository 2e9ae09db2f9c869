// A normalization becomes part of the Conv, Gemm or MatMul before it.
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

RC_GTEST_PROP(FoldBatchNorm, KeepsTheFunctionAndLeavesNoNormalization, ()) {
  for (int kind : {0, 1, 2, 3})
    for (bool bias : {false, true}) {
      Graph g;
      const ValueId y = add_linear(g, kind, bias, any_seed());
      g.outputs = {add_batch_norm(g, y, 3, any_seed(), "bn")};
      const Graph folded = fold_batch_norm(g);
      RC_ASSERT(count<ir::BatchNormalization>(folded) == 0);
      RC_ASSERT(folded.nodes.size() == 1u);
      RC_ASSERT(difference(g, folded, kMagnitude) == std::nullopt);
    }
}

TEST(FoldBatchNorm, OnHandWorkedNumbers) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 1});
  const ValueId w = g.add_constant("w", floats({2, 1}, {1, 2}));
  const ValueId b = g.add_constant("b", floats({2}, {10, 20}));
  const ValueId y = g.add_node(ir::Gemm{.trans_b = true}, {x, w, b}, "y");
  const ValueId scale = g.add_constant("s", floats({2}, {3, 1}));
  const ValueId offset = g.add_constant("o", floats({2}, {5, 6}));
  const ValueId mean = g.add_constant("m", floats({2}, {1, 2}));
  const ValueId var = g.add_constant("v", floats({2}, {4, 0.25F}));
  g.outputs = {g.add_node(ir::BatchNormalization{0.0F}, {y, scale, offset, mean, var}, "bn")};
  const Graph folded = fold_batch_norm(g);
  EXPECT_THAT(ir::values_of<float>(*folded.constant(folded.nodes.at(0).inputs.at(1))),
              testing::ElementsAre(1.5F, 4));
  EXPECT_THAT(ir::values_of<float>(*folded.constant(folded.nodes.at(0).inputs.at(2))),
              testing::ElementsAre(18.5F, 42));
  EXPECT_EQ(folded.value(folded.outputs[0]).name, "bn");
}

TEST(FoldBatchNorm, NotWhenTheSumHasAnotherReaderOrIsAnOutput) {
  for (bool output : {false, true}) {
    Graph g;
    const ValueId y = add_linear(g, 0, true, 1);
    g.outputs = {add_batch_norm(g, y, 3, 5, "bn"), output ? y : g.add_node(ir::Relu{}, {y}, "other")};
    const Graph folded = fold_batch_norm(g);
    EXPECT_EQ(count<ir::BatchNormalization>(folded), 1);
    expect_same(g, folded);
  }
}

TEST(FoldBatchNorm, NotIntoComputedWeightsOrStacks) {
  Graph computed;
  const ValueId x = computed.add_input("x", DType::float32, {3, 3});
  computed.outputs = {add_batch_norm(computed, computed.add_node(ir::MatMul{}, {x, x}, "y"), 3, 1, "bn")};
  EXPECT_EQ(count<ir::BatchNormalization>(fold_batch_norm(computed)), 1);
  expect_same(computed, fold_batch_norm(computed));
  // [N, 3, 3]: the channels of the normalization are not the columns of the product.
  Graph stack;
  const ValueId s = stack.add_input("x", DType::float32, {kDynamic, 3, 5});
  const ValueId w = stack.add_constant("w", random_floats({5, 3}, 1));
  stack.outputs = {add_batch_norm(stack, stack.add_node(ir::MatMul{}, {s, w}, "y"), 3, 1, "bn")};
  EXPECT_EQ(count<ir::BatchNormalization>(fold_batch_norm(stack)), 1);
  expect_same(stack, fold_batch_norm(stack));
}

TEST(FoldBatchNorm, TwoInARowBothFold) {
  Graph g;
  const ValueId y = add_linear(g, 0, false, 1);
  g.outputs = {add_batch_norm(g, add_batch_norm(g, y, 3, 5, "bn1"), 3, 9, "bn2")};
  const Graph folded = fold_batch_norm(g);
  EXPECT_EQ(folded.nodes.size(), 1u);
  expect_same(g, folded, kMagnitude * 8);
}

TEST(FoldBatchNorm, SharedWeightsStayForTheirOtherReader) {
  Graph g;
  const ValueId y = add_linear(g, 1, true, 1);
  const ValueId z = g.add_node(ir::Gemm{.trans_b = true}, {g.inputs[0], *g.find("w"), *g.find("b")}, "z");
  g.outputs = {add_batch_norm(g, y, 3, 5, "bn"), z};
  const Graph folded = fold_batch_norm(g);
  EXPECT_EQ(count<ir::BatchNormalization>(folded), 0);
  expect_same(g, folded, kMagnitude);
}

}  // namespace
}  // namespace halftone::passes
