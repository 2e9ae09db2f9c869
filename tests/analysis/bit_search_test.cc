// Bits under a budget: harms of choices, accuracy lost, and which point of the front is chosen.
#include "halftone/analysis/bit_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/analysis/choice_harm.h"
#include "halftone/analysis/held_out.h"
#include "tests/analysis/analyzed.h"

namespace halftone::analysis {
namespace {

calibration::Runs runs_over(const calibration::Samples& samples) {
  return {.samples = {.count = samples.size(),
                      .inputs = [&](std::int64_t first, std::int64_t last) { return samples.rows(first, last); }},
          .options = {},
          .make_executor = plainly};
}

// float_network() and samples for it, whose weights may have 2 or 8 bits.
struct Searched {
  ir::Graph graph = float_network();
  quant::Recipe recipe;
  std::vector<MixedGroup> groups = mixed_groups(graph, recipe, {2, 8}, {8});
  calibration::Samples all = calibration::samples_of(samples(48, {1, 6, 6}), {});
  calibration::Samples calibration = calibration::sample(all, 16);
  calibration::Samples harm = calibration::sample(calibration::left_by_sample(all, 16), 16);
  calibration::Samples held_out = calibration::left_by_sample(calibration::left_by_sample(all, 16), 16);
  calibration::StatisticsTable seen = quant::statistics_of(graph, calibration.inputs[0].rows);

  BitSearch search() const {
    return {.model = graph,
            .graph = graph,
            .recipe = recipe,
            .groups = groups,
            .seen = seen,
            .calibration = calibration,
            .harm = harm,
            .held_out = held_out,
            .make_executor = plainly,
            .in_batches = [](const auto&, const auto&, const auto& work) { work({}); },
            .runs_for = [](const auto& own, const auto&) { return [&own](ptq::Stage, const ir::Graph&) { return runs_over(own); }; }};
  }
};

TEST(BitSearch, LeavesTheStartWithoutHarmOfItsOwn) {
  const Searched searched;
  const ChoiceHarms harms = measure_choices(searched.search());
  EXPECT_GT(harms.start, 0.0);
  ASSERT_EQ(harms.groups.size(), searched.groups.size());
  for (std::size_t g = 0; g < harms.groups.size(); ++g) {
    EXPECT_THAT(harms.groups[g].input_harm, testing::ElementsAre(0.0));
    for (std::size_t l = 0; l < harms.groups[g].layers.size(); ++l) {
      const SearchGroup::Layer& layer = harms.groups[g].layers[l];
      ASSERT_EQ(layer.harm.size(), 2U);
      EXPECT_NE(layer.harm[0], 0.0);
      EXPECT_EQ(layer.harm[1], 0.0);
      EXPECT_EQ(layer.cost[0][0], cost_of(Budget::bytes, searched.groups[g].layers[l].work, 2, 8));
      EXPECT_LT(layer.cost[0][0], layer.cost[1][0]);
    }
  }
}

TEST(BitSearch, ChoosesNothingUnasked) {
  const Searched searched;
  const SearchResult result = search_bits(searched.search());
  EXPECT_FALSE(result.chosen);
  EXPECT_FALSE(result.model);
  ASSERT_GT(result.front.size(), 1U);
  EXPECT_TRUE(result.front.front().drop);
  EXPECT_TRUE(result.front.back().drop);
}

TEST(BitSearch, ChoosesTheCheapestThatLosesNoMore) {
  const Searched searched;
  BitSearch search = searched.search();
  search.max_drop = 100.0;
  const SearchResult result = search_bits(search);
  EXPECT_EQ(result.chosen, 0U);
  EXPECT_EQ(result.recipe.layers.size(), 3U);
  EXPECT_TRUE(result.model);
}

TEST(BitSearch, ChoosesTheBestWithinALimit) {
  const Searched searched;
  BitSearch search = searched.search();
  search.limit = start_cost(counted(Budget::bytes), searched.groups) - 1.0;
  const SearchResult result = search_bits(search);
  ASSERT_TRUE(result.chosen);
  EXPECT_LE(result.front[*result.chosen].assigned.cost, *search.limit);
  EXPECT_GT(result.front.at(*result.chosen + 1).assigned.cost, *search.limit);
  EXPECT_TRUE(result.front[*result.chosen].drop);
}

TEST(BitSearch, ShowsIslandsBeforeAnythingIsMeasuredWithThem) {
  const Searched searched;
  BitSearch search = searched.search();
  search.check_islands = [](const auto&) { throw UnsupportedError("model", "would stay float"); };
  EXPECT_THROW(search_bits(search), UnsupportedError);
}

TEST(Drop, CountsWhatIsLostAndGained) {
  // One lost of 8 and none gained, then two lost and one gained.
  const std::vector<std::int32_t> labels{0, 0, 0, 0, 1, 1, 1, 1};
  const std::vector<std::int32_t> before{0, 0, 0, 0, 1, 1, 0, 0};
  const Drop one = drop_between(before, {1, 0, 0, 0, 1, 1, 0, 0}, labels);
  EXPECT_DOUBLE_EQ(one.points, 12.5);
  EXPECT_DOUBLE_EQ(one.accuracy, 62.5);
  EXPECT_DOUBLE_EQ(one.error, 100.0 * std::sqrt(1.0 - 1.0 / 8.0) / 8.0);
  const Drop net = drop_between(before, {1, 1, 0, 0, 1, 1, 1, 0}, labels);
  EXPECT_DOUBLE_EQ(net.points, 12.5);
  EXPECT_DOUBLE_EQ(net.error, 100.0 * std::sqrt(3.0 - 1.0 / 8.0) / 8.0);
}

}  // namespace
}  // namespace halftone::analysis
