// Joins and channels that a scale leaves few steps.
#include "halftone/analysis/lost_parts.h"

#include <gtest/gtest.h>

#include "tests/analysis/network.h"

namespace halftone::analysis {
namespace {

constexpr std::int64_t kRows = 32;

// boxes = stretch·x and scores = x, joined; x in [-4, 4).
ir::Graph joined(float stretch, bool behind = false) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 3});
  const ir::ValueId boxes = g.add_node(ir::Mul{}, {x, g.add_constant("stretch", ir::floats({1}, {stretch}))}, "boxes");
  const ir::ValueId scores = g.add_node(ir::Sigmoid{}, {x}, "scores");
  const ir::ValueId all = g.add_node(ir::Concat{.axis = 1}, {boxes, scores}, "all");
  g.outputs = {behind ? g.add_node(ir::Tanh{}, {all}, "end") : all};
  return g;
}

quant::Parameters parameters_of(const ir::Graph& graph, const Tensor& samples, const quant::Recipe& recipe = {}) {
  return quant::choose_parameters(graph, quant::ranges_on(graph, samples, recipe), recipe);
}

std::vector<LostPart> parts_of(const ir::Graph& graph, const quant::Recipe& recipe = {}) {
  const Tensor samples = ir::random_floats({kRows, 2, 3}, 1);
  return lost_parts(graph, parameters_of(graph, samples, recipe), quant::statistics_of(graph, samples));
}

TEST(LostParts, NameTheNarrowPartOfAJoin) {
  const auto lost = parts_of(joined(1000.0F));
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].value, "all");
  EXPECT_EQ(lost[0].part, "scores");
  EXPECT_TRUE(lost[0].of_output);
  EXPECT_LT(lost[0].steps(), 1.0);
  EXPECT_GT(lost[0].whole.hi, 3000.0);
  EXPECT_LE(lost[0].range.hi, 1.0);
}

TEST(LostParts, AreNoneWherePartsAreAlikeOrBitsAreEnough) {
  EXPECT_TRUE(parts_of(joined(1.0F)).empty());
  quant::Recipe wide;
  wide.activations.format.bits = 16;
  EXPECT_TRUE(parts_of(joined(500.0F), wide).empty());
}

TEST(LostParts, OfAJoinInsideAreNotOfTheOutput) {
  const auto lost = parts_of(joined(1000.0F, true));
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_FALSE(lost[0].of_output);
}

// Scores of ten classes, one of which has a huge bias.
ir::Graph scores(float bias) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 3});
  std::vector<float> biases(10, 0.5F);
  biases[2] = bias;
  g.outputs = {g.add_node(ir::Gemm{},
                          {x, g.add_constant("w", ir::random_floats({3, 10}, 7)), g.add_constant("b", ir::floats({10}, biases))},
                          "y")};
  return g;
}

std::vector<LostPart> channels_of(const ir::Graph& graph) {
  const data::Dataset set = samples(kRows, {3});
  return lost_channels(graph, parameters_of(graph, set.images), samples_of(set, data::preset("raw")), {.threads = 2},
                       [](const ir::Graph& g) { return std::make_unique<ir::Interpreter>(g); });
}

TEST(LostChannels, AreThoseBesideAHugeBias) {
  const auto lost = channels_of(scores(1e5F));
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].value, "y");
  EXPECT_EQ(lost[0].channels, 10);
  EXPECT_EQ(lost[0].lost, 10);  // the wide one too: 1e5 and its own spread of some tens
  EXPECT_TRUE(lost[0].of_output);
}

TEST(LostChannels, AreNoneInOrdinaryNetworks) {
  EXPECT_TRUE(channels_of(scores(0.5F)).empty());
  const data::Dataset set = samples(kRows, {1, 6, 6});
  EXPECT_TRUE(lost_channels(float_network(), parameters_of(float_network(), set.images),
                            samples_of(set, data::preset("raw")), {},
                            [](const ir::Graph& g) { return std::make_unique<ir::Interpreter>(g); })
                  .empty());
}

}  // namespace
}  // namespace halftone::analysis
