// Values that depend on constants alone are computed, and Identity nodes go.
#include "tests/passes/networks.h"

namespace halftone::passes {
namespace {

TEST(FoldConstants, ComputesWhatDependsOnConstantsAlone) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {2});
  const ValueId a = g.add_constant("a", floats({2}, {1, 2}));
  const ValueId b = g.add_constant("b", floats({2}, {3, 4}));
  const ValueId d = g.add_node(ir::Relu{}, {g.add_node(ir::Add{}, {a, b}, "c")}, "d");
  g.outputs = {g.add_node(ir::Add{}, {x, d}, "y")};
  const Graph folded = fold_constants(g);
  EXPECT_EQ(folded.nodes.size(), 1u);
  EXPECT_TRUE(*folded.constant(*folded.find("d")) == floats({2}, {4, 6}));
  EXPECT_FALSE(folded.find("a"));
  expect_same(g, folded);
}

TEST(FoldConstants, AConstantOutputStaysAnOutput) {
  Graph g;
  g.add_input("x", DType::float32, {2});
  g.outputs = {g.add_node(ir::Relu{}, {g.add_constant("a", floats({2}, {-1, 2}))}, "y")};
  expect_same(g, fold_constants(g));
}

TEST(RemoveIdentity, RemovesChainsAndKeepsOutputNames) {
  Graph g;
  ValueId v = g.add_input("x", DType::float32, {2});
  v = g.add_node(ir::Identity{}, {v}, "i1");
  v = g.add_node(ir::Identity{}, {v}, "i2");
  v = g.add_node(ir::Relu{}, {v}, "r");
  v = g.add_node(ir::Identity{}, {v}, "i3");
  g.outputs = {g.add_node(ir::Identity{}, {v}, "y"), v};
  const Graph removed = remove_identity(g);
  EXPECT_EQ(count<ir::Identity>(removed), 2);  // those that name outputs
  expect_same(g, removed);
  Graph inner = g;
  inner.outputs = {*g.find("r")};
  EXPECT_EQ(count<ir::Identity>(remove_identity(inner)), 0);
}

}  // namespace
}  // namespace halftone::passes
