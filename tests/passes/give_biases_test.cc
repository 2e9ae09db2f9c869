// Layers without a bias get one of zeros.
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

TEST(GiveBiases, KeepsTheFunctionAndLeavesNoLayerWithout) {
  for (int kind : {0, 1, 2, 3})
    for (bool bias : {false, true}) {
      Graph g;
      g.outputs = {add_linear(g, kind, bias, 1)};
      const Graph given = give_biases(g);
      ASSERT_EQ(given.nodes[0].inputs.size(), 3U);
      EXPECT_EQ(given.constant(given.nodes[0].inputs[2])->shape(), Shape{3});
      EXPECT_EQ(given.nodes[0].inputs == g.nodes[0].inputs, bias && kind != 3);
      expect_same(g, given);
    }
}

TEST(GiveBiases, OfAConvTransposeIsOneForEachOutputChannel) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 4, 3, 3});
  g.outputs = {g.add_node(ir::ConvTranspose{.groups = 2}, {x, g.add_constant("w", random_floats({4, 3, 2, 2}, 1))}, "y")};
  const Graph given = give_biases(g);
  ASSERT_EQ(given.nodes[0].inputs.size(), 3U);
  EXPECT_EQ(given.constant(given.nodes[0].inputs[2])->shape(), Shape{6});
  expect_same(g, given);
}

TEST(GiveBiases, LeavesLayersThatHaveNoPlaceForOne) {
  Graph g;  // a stack of products, computed weights, a scaled Gemm
  const ValueId x = g.add_input("x", DType::float32, {2, 3, 5});
  const ValueId rows = g.add_input("rows", DType::float32, {kDynamic, 5});
  const ValueId w = g.add_constant("w", random_floats({5, 5}, 1));
  const ValueId stack = g.add_node(ir::MatMul{}, {x, w}, "stack");
  const ValueId square = g.add_node(ir::MatMul{}, {rows, g.add_node(ir::Tanh{}, {w}, "tanh")}, "square");
  const ValueId scaled = g.add_node(ir::Gemm{.alpha = 2.0F}, {rows, w}, "scaled");
  g.outputs = {stack, square, scaled};
  const Graph given = give_biases(g);
  for (std::size_t n = 0; n < g.nodes.size(); ++n) EXPECT_EQ(given.nodes[n].inputs, g.nodes[n].inputs);
}

}  // namespace
}  // namespace halftone::passes
