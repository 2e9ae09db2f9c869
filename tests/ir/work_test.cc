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

TEST(FixedBatch, IsWhatAllInputsShare) {
  const auto of = [](std::vector<Shape> inputs) { return fixed_batch(inputs); };
  EXPECT_EQ(of({{4, 3}, {4}}), 4);
  EXPECT_EQ(of({{4, 3}, {2, 3}}), 1);
  EXPECT_EQ(of({{kDynamic, 3}}), 1);
  EXPECT_EQ(of({{}}), 1);
  EXPECT_EQ(of({}), 1);
}

}  // namespace
}  // namespace halftone::ir
