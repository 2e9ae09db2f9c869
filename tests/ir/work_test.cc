#include "halftone/ir/work.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/ir/tensors.h"

namespace halftone::ir {
namespace {

// [batch, 7, 20] times [20, 3].
Graph product_of_rows(std::int64_t batch) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {batch, 7, 20});
  g.outputs = {g.add_node(MatMul{}, {x, g.add_constant("w", random_floats({20, 3}, 1))}, "y")};
  return g;
}

std::int64_t sum(const Graph& graph) {
  const std::vector<std::int64_t> all = multiply_adds(graph);
  return std::reduce(all.begin(), all.end());
}

TEST(MultiplyAdds, AreOfOneSampleWhateverTheFileSaysOfTheBatch) {
  EXPECT_EQ(sum(product_of_rows(kDynamic)), 7 * 20 * 3);
  EXPECT_EQ(sum(product_of_rows(1)), 7 * 20 * 3);
  EXPECT_EQ(sum(product_of_rows(8)), 7 * 20 * 3);
}

// x[6] is one sample: y[3] has no row for each of six.
TEST(MultiplyAdds, AreWholeWhereNoDimensionCountsSamples) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {6});
  g.outputs = {g.add_node(MatMul{}, {x, g.add_constant("w", random_floats({6, 3}, 1))}, "y")};
  EXPECT_EQ(sum(g), 18);
}

// Rows are joined two by two.
TEST(MultiplyAdds, AreCountedOfANetworkThatCannotRunWithOneSample) {
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 3});
  const ValueId pairs = g.add_node(Reshape{}, {x, g.add_constant("p", Tensor::from<std::int64_t>({2}, {-1, 6}))}, "pairs");
  g.outputs = {g.add_node(MatMul{}, {pairs, g.add_constant("w", random_floats({6, 6}, 1))}, "y")};
  EXPECT_EQ(sum(g), 36);
}

TEST(MultiplyAdds, AreOfOneSampleWhereOneInputFixesTheBatch) {
  Graph g;
  const ValueId w = g.add_constant("w", random_floats({4, 3}, 1));
  for (std::int64_t batch : {kDynamic, std::int64_t{2}}) {
    const std::string name = batch == 2 ? "z" : "x";
    g.outputs.push_back(g.add_node(MatMul{}, {g.add_input(name, DType::float32, {batch, 4}), w}, name + "w"));
  }
  EXPECT_EQ(sum(g), 24);
}

TEST(FixedBatch, IsWhatInputsFix) {
  const auto of = [](const std::vector<Shape>& inputs) { return fixed_batch(inputs, std::vector<Shape>{{kDynamic}}); };
  EXPECT_EQ(of({{kDynamic, 3}, {5, 2}}), 5);
  EXPECT_EQ(of({{4, 3}, {4}}), 4);
  EXPECT_EQ(of({{4, 3}, {2, 3}}), 1);
  EXPECT_EQ(of({{kDynamic, 3}}), 1);
  EXPECT_EQ(of({{}}), 1);
  EXPECT_EQ(of({}), 1);
}

}  // namespace
}  // namespace halftone::ir
