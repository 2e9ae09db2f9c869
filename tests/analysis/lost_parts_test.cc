// Joins and channels that a scale leaves few steps.
#include "halftone/analysis/lost_parts.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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

std::vector<LostPart> channels_of(const ir::Graph& graph, const Shape& row) {
  const data::Dataset set = samples(kRows, row);
  const ir::Graph observed = quant::observed(graph);
  const std::vector<std::string> names = calibration::output_names(observed);
  ChannelRanges seen(names, kRows, 1);
  calibration::calibrate(ir::Interpreter(observed), names, set.images,
                   {.threads = 2, .also = [&](std::int64_t sample, const ir::Watched& w) { seen.see(sample, w); }});
  return lost_channels(graph, parameters_of(graph, set.images), seen);
}

TEST(LostChannels, AreThoseBesideAHugeBias) {
  const auto lost = channels_of(scores(1e5F), {3});
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].value, "y");
  EXPECT_EQ(lost[0].channels, 10);
  EXPECT_EQ(lost[0].lost, 10);  // the wide one too: 1e5 and its own spread of some tens
  EXPECT_TRUE(lost[0].of_output);
}

TEST(LostChannels, AreNoneInOrdinaryNetworks) {
  EXPECT_TRUE(channels_of(scores(0.5F), {3}).empty());
  EXPECT_TRUE(channels_of(float_network(), {1, 6, 6}).empty());
}

// Ranges of one run's elements in the order of this block.
std::map<std::pair<std::string, std::size_t>, ChannelRanges::Ranges> ranges_of(const Tensor& value, std::int64_t block) {
  const std::int64_t inner = product(value.shape(), 2, value.rank());
  std::vector<float> elements;
  for (std::int64_t outer = 0; outer < value.size() / (inner * block); ++outer)
    for (std::int64_t i = 0; i < inner; ++i)
      for (std::int64_t c = 0; c < block; ++c)
        elements.push_back(value.data<float>()[static_cast<std::size_t>((outer * block + c) * inner + i)]);
  ChannelRanges seen({"v"}, 1, 1);
  seen.see(0, {0, elements, value.shape(), block});
  return seen.ranges();
}

RC_GTEST_PROP(ChannelRanges, DoNotDependOnTheOrderOfElements, ()) {
  const auto block = *rc::gen::element<std::int64_t>(1, 2, 4, 8);
  Shape shape{*rc::gen::inRange<std::int64_t>(1, 4), block * *rc::gen::inRange<std::int64_t>(1, 4)};
  for (int d = *rc::gen::inRange(0, 3); d > 0; --d) shape.push_back(*rc::gen::inRange<std::int64_t>(1, 5));
  const Tensor value = ir::random_floats(shape, *rc::gen::arbitrary<std::uint32_t>());
  const auto seen = ranges_of(value, block);
  RC_ASSERT(seen.size() == (shape.size() == 3 ? 2U : 1U));
  for (const auto& [key, ranges] : seen) {
    ChannelRanges::Ranges expected(static_cast<std::size_t>(shape[key.second]), {HUGE_VAL, -HUGE_VAL});
    const auto stride = static_cast<std::size_t>(product(shape, key.second + 1, shape.size()));
    for (std::size_t i = 0; i < value.data<float>().size(); ++i) {
      const double v = value.data<float>()[i];
      numeric::Range& range = expected[i / stride % expected.size()];
      range = {std::min(range.lo, v), std::max(range.hi, v)};
    }
    for (std::size_t c = 0; c < expected.size(); ++c)
      RC_ASSERT(ranges[c].lo == expected[c].lo && ranges[c].hi == expected[c].hi);
  }
}

}  // namespace
}  // namespace halftone::analysis
