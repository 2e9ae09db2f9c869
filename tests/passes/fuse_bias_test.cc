// An Add of one number a channel becomes the bias of what is before it.
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

RC_GTEST_PROP(FuseBias, KeepsTheFunctionAndLeavesNoAdd, ()) {
  for (int kind : {0, 1, 2, 3})
    for (bool bias : {false, true}) {
      Graph g;
      const ValueId y = add_linear(g, kind, bias, any_seed());
      const Shape shapes[] = {kind == 0 ? Shape{3, 1, 1} : Shape{3},
                              kind == 0 ? Shape{1, 3, 1, 1} : Shape{1, 3}};
      const ValueId c = g.add_constant("c", random_floats(shapes[choose(2)], any_seed()));
      g.outputs = {g.add_node(ir::Add{}, choose(2) == 0 ? std::vector{y, c} : std::vector{c, y}, "sum")};
      const Graph fused = fuse_bias(g);
      RC_ASSERT(count<ir::Add>(fused) == 0);
      RC_ASSERT(difference(g, fused, kMagnitude) == std::nullopt);
    }
}

TEST(FuseBias, LeavesConstantsThatAreNotOneNumberAChannel) {
  for (const Shape& shape :
       {Shape{}, Shape{1}, Shape{3}, Shape{1, 3, 3}, Shape{3, 3, 3}, Shape{3, 1, 3}, Shape{1, 1, 3, 3}}) {
    Graph g;
    const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 3, 3});
    const ValueId y =
        g.add_node(ir::Conv{}, {x, g.add_constant("w", random_floats({3, 2, 1, 1}, 1))}, "conv");
    g.outputs = {g.add_node(ir::Add{}, {y, g.add_constant("c", random_floats(shape, 2))}, "sum")};
    EXPECT_EQ(count<ir::Add>(fuse_bias(g)), 1) << to_string(shape);
    expect_same(g, fuse_bias(g));
  }
}

TEST(FuseBias, LeavesAddsOfTwoComputedValues) {
  Graph g;
  const ValueId y = add_linear(g, 1, false, 1);
  g.outputs = {g.add_node(ir::Add{}, {y, y}, "sum")};
  EXPECT_EQ(count<ir::Add>(fuse_bias(g)), 1);
  expect_same(g, fuse_bias(g));
}

TEST(FuseBias, NotWhenTheSumHasAnotherReader) {
  Graph g;
  const ValueId y = add_linear(g, 1, false, 1);
  g.outputs = {g.add_node(ir::Add{}, {y, g.add_constant("c", random_floats({3}, 2))}, "sum"), y};
  EXPECT_EQ(count<ir::Add>(fuse_bias(g)), 1);
  expect_same(g, fuse_bias(g));
}

}  // namespace
}  // namespace halftone::passes
