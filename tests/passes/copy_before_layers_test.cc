// Values that both layers and sums read are copied for the layers.
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

// x is read by a product and by a sum around it; y by a sum alone.
Graph residual() {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 4});
  const auto layer = [&](ValueId in, const char* name, int seed) {
    return g.add_node(ir::Gemm{}, {in, g.add_constant(std::string(name) + "_w", random_floats({4, 4}, seed))}, name);
  };
  const ValueId y = layer(x, "y", 1);
  const ValueId z = layer(x, "z", 2);
  g.outputs = {g.add_node(ir::Add{}, {g.add_node(ir::Add{}, {y, x}, "sum"), z}, "out")};
  return g;
}

TEST(CopyBeforeLayers, MakesOneCopyForAllLayersAndKeepsTheFunction) {
  const Graph g = residual();
  const Graph copied = copy_before_layers(g);
  ASSERT_EQ(copied.nodes.size(), g.nodes.size() + 1);
  const ValueId copy = copied.find("x_for_layers").value();
  EXPECT_EQ(copied.nodes[0].outputs[0], copy);
  EXPECT_EQ(copied.nodes[1].inputs[0], copy);
  EXPECT_EQ(copied.nodes[2].inputs[0], copy);
  EXPECT_EQ(copied.nodes[3].inputs[1], g.inputs[0]);
  expect_same(g, copied);
}

TEST(CopyBeforeLayers, LeavesWhatOneKindAloneReads) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 4});
  const ValueId y = g.add_node(ir::Gemm{}, {x, g.add_constant("w", random_floats({4, 4}, 3))}, "y");
  g.outputs = {g.add_node(ir::Add{}, {y, y}, "out")};
  EXPECT_EQ(copy_before_layers(g).nodes.size(), g.nodes.size());
}

}  // namespace
}  // namespace halftone::passes
