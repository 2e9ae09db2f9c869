// The cost of layers, in numbers worked out by hand.
#include "halftone/analysis/cost.h"

#include <gtest/gtest.h>

#include "tests/analysis/network.h"

namespace halftone::analysis {
namespace {

TEST(Cost, WorkOfLayersIsThatOfOneSample) {
  const ir::Graph graph = float_network();
  const auto work = [&](std::string_view name, const quant::WeightRecipe& recipe = {}) {
    for (const ir::Node& node : graph.nodes)
      if (node.name == name) return work_of(graph, node, recipe);
    throw std::logic_error("no such node");
  };
  EXPECT_EQ(work("conv1"),
            (LayerWork{.weights = 36, .biases = 4, .scales = 4, .inputs = 36, .multiply_adds = 36 * 36}));
  EXPECT_EQ(
      work("conv2"),
      (LayerWork{.weights = 144, .biases = 4, .scales = 4, .inputs = 4 * 36, .multiply_adds = 4 * 36 * 36}));
  EXPECT_EQ(work("scores", {.granularity = numeric::Granularity::tensor}),
            (LayerWork{.weights = 108, .biases = 3, .scales = 1, .inputs = 36, .multiply_adds = 108}));
  // Four input channels by three: two groups a channel. 36 inputs by eight: five.
  EXPECT_EQ(work("conv2", {.granularity = numeric::Granularity::group, .group_size = 3}).scales, 8);
  EXPECT_EQ(work("scores", {.granularity = numeric::Granularity::group, .group_size = 8}).scales, 15);
  EXPECT_EQ(work("conv1", {.bias_bits = 5}).bias_bits, 5);
}

TEST(Cost, OfEachBudget) {
  const LayerWork work{.weights = 37, .biases = 3, .scales = 2, .inputs = 10, .multiply_adds = 1000};
  EXPECT_EQ(cost_of(Budget::bytes, work, 8, 8), 37 + 12 + 8);
  EXPECT_EQ(cost_of(Budget::bytes, work, 3, 4), 14 + 12 + 8);  // 111 bits
  LayerWork narrow = work;
  narrow.bias_bits = 5;
  EXPECT_EQ(cost_of(Budget::bytes, narrow, 8, 8), 37 + 2 + 8);  // 15 bits
  EXPECT_DOUBLE_EQ(cost_of(Budget::energy, narrow, 8, 8), 1000 * (0.2 + 0.1) + (37 * 8 + 15) * 20.0 + 80 * 10.0 / 64);
  EXPECT_EQ(cost_of(Budget::bit_operations, work, 3, 4), 12000);
  EXPECT_DOUBLE_EQ(cost_of(Budget::energy, work, 8, 8),
                   1000 * (0.2 + 0.1) + (37 * 8 + 3 * 32) * 20.0 + 80 * 10.0 / 64);
}

TEST(Cost, FewerBitsNeverCostMore) {
  const LayerWork work{.weights = 370, .biases = 3, .scales = 2, .inputs = 10, .multiply_adds = 1000};
  for (const auto& [budget, name] : kBudgetNames)
    for (int w = 2; w <= 16; ++w)
      for (int a = 2; a <= 16; ++a) {
        EXPECT_LT(cost_of(budget, work, w - 1, a), cost_of(budget, work, w, a)) << name;
        EXPECT_LE(cost_of(budget, work, w, a - 1), cost_of(budget, work, w, a)) << name;
      }
}

}  // namespace
}  // namespace halftone::analysis
