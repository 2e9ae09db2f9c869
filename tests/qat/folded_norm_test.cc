// Batch normalization at work in a network that has folded it.
#include "halftone/qat/folded_norm.h"

#include <gtest/gtest.h>

#include "tests/qat/random_tensor.h"

namespace halftone::qat {
namespace {

const Ranks kAlone;

TEST(FoldedNorm, StartsAsWhatIsFolded) {
  const FoldedNorm norm({{0.5F, -1.0F, 0.2F}, {2.0F, 0.7F, 0.0F}, 0.9F}, kAlone);
  EXPECT_TRUE(torch::allclose(norm.factor(), torch::ones({3})));
  EXPECT_TRUE(torch::allclose(norm.shift(), torch::zeros({3}), 0, 1e-6));
}

TEST(FoldedNorm, GivesEachChannelItsMeanAndDeviation) {
  torch::manual_seed(1);
  FoldedNorm norm({{0.5F, -1.0F, 0.2F}, {2.0F, 0.7F, 0.0F}, 0.9F}, kAlone);
  const torch::Tensor z = torch::randn({16, 3, 4, 4}) * 3 + 1;
  const torch::Tensor y = norm.by_batch(z);
  for (std::int64_t c = 0; c < 2; ++c) {
    EXPECT_NEAR(y.select(1, c).mean().item<float>(), c == 0 ? 0.5 : -1.0, 1e-4);
    EXPECT_NEAR(y.select(1, c).std(false).item<float>(), c == 0 ? 2.0 : 0.7, 1e-4);
  }
  EXPECT_TRUE(torch::equal(y.select(1, 2), z.select(1, 2)));  // γ is 0
}

// Running statistics come to be those of the batches, and say the same as these.
TEST(FoldedNorm, RunningStatisticsFollowBatches) {
  torch::manual_seed(2);
  FoldedNorm norm({{0.5F, -1.0F}, {2.0F, 0.7F}, 0.9F}, kAlone);
  const torch::Tensor z = torch::randn({500, 2}) * 3 + 1;
  torch::Tensor y;
  for (int i = 0; i < 200; ++i) y = norm.by_batch(z);
  EXPECT_TRUE(torch::allclose(z * norm.factor() + norm.shift(), y, 1e-2, 1e-2));
}

TEST(FoldedNorm, ReadsWhatNormalizationsSay) {
  ir::Graph graph;
  const auto vector = [](std::vector<float> values) { return Tensor::from<float>({2}, values); };
  const ir::ValueId x = graph.add_input("x", DType::float32, {kDynamic, 2});
  graph.outputs = {graph.add_node(ir::BatchNormalization{.momentum = 0.8F},
                                  {x, graph.add_constant("scale", vector({-3, 0.5F})), graph.add_constant("shift", vector({1, 2})), graph.add_constant("mean", vector({0, 0})),
                                   graph.add_constant("var", vector({1, 1}))},
                                  "y")};
  const auto all = normalized_values(graph);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.at("y").mean, (std::vector<float>{1, 2}));
  EXPECT_EQ(all.at("y").deviation, (std::vector<float>{3, 0.5F}));
  EXPECT_EQ(all.at("y").momentum, 0.8F);
}

}  // namespace
}  // namespace halftone::qat
