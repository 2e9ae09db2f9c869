// The convex front of assignments against all of them.
#include "halftone/analysis/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace halftone::analysis {
namespace {

// Least to most, of any size of the case.
std::size_t between(std::size_t least, std::size_t most) {
  return *rc::gen::resize(100, rc::gen::inRange(least, most + 1));
}

// Small whole numbers: their sums are exact.
SearchGroup arbitrary_group() {
  const auto number = [](std::size_t most) { return static_cast<double>(between(0, most)); };
  SearchGroup group;
  group.input_harm.resize(between(1, 3));
  for (double& harm : group.input_harm) harm = number(12);
  group.layers.resize(between(0, 2));
  for (SearchGroup::Layer& layer : group.layers) {
    const std::size_t choices = between(1, 3);
    for (std::size_t w = 0; w < choices; ++w) {
      layer.harm.push_back(number(12));
      layer.cost.emplace_back(group.input_harm.size());
      for (double& cost : layer.cost.back()) cost = number(12);
    }
  }
  return group;
}

struct Sum {
  double cost = 0.0;
  double harm = 0.0;
};

Sum sum_of(const SearchGroup& group, const GroupChoice& choice) {
  Sum sum{0.0, group.input_harm.at(choice.input)};
  for (std::size_t l = 0; l < group.layers.size(); ++l) {
    sum.cost += group.layers[l].cost.at(choice.weights.at(l)).at(choice.input);
    sum.harm += group.layers[l].harm.at(choice.weights[l]);
  }
  return sum;
}

std::vector<Sum> all_of(const SearchGroup& group) {
  std::vector<Sum> all;
  for (std::size_t input = 0; input < group.input_harm.size(); ++input) {
    std::vector<Sum> sums{{0.0, group.input_harm[input]}};
    for (const SearchGroup::Layer& layer : group.layers) {
      std::vector<Sum> longer;
      for (const Sum& before : sums)
        for (std::size_t w = 0; w < layer.harm.size(); ++w)
          longer.push_back({before.cost + layer.cost[w][input], before.harm + layer.harm[w]});
      sums = std::move(longer);
    }
    all.insert(all.end(), sums.begin(), sums.end());
  }
  return all;
}

std::vector<Sum> all_of(const std::vector<SearchGroup>& groups) {
  std::vector<Sum> all{{}};
  for (const SearchGroup& group : groups) {
    std::vector<Sum> longer;
    for (const Sum& before : all)
      for (const Sum& own : all_of(group)) longer.push_back({before.cost + own.cost, before.harm + own.harm});
    all = std::move(longer);
  }
  return all;
}

RC_GTEST_PROP(Search, FrontIsTheLowerHullOfAllAssignments, ()) {
  std::vector<SearchGroup> groups(between(1, 3));
  for (SearchGroup& group : groups) group = arbitrary_group();
  const std::vector<Sum> all = all_of(groups);
  const std::vector<Assigned> front = convex_front(groups);
  RC_ASSERT(!front.empty());
  for (const Assigned& point : front) {
    Sum sum;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const Sum own = sum_of(groups[g], point.groups.at(g));
      sum.cost += own.cost;
      sum.harm += own.harm;
    }
    RC_ASSERT(sum.cost == point.cost && sum.harm == point.harm);
  }
  const double least_cost = std::ranges::min_element(all, {}, &Sum::cost)->cost;
  const double least_harm = std::ranges::min_element(all, {}, &Sum::harm)->harm;
  RC_ASSERT(front.front().cost == least_cost);
  RC_ASSERT(front.back().harm == least_harm);
  for (const Sum& other : all) {
    RC_ASSERT(other.cost > least_cost || other.harm >= front.front().harm);
    RC_ASSERT(other.harm > least_harm || other.cost >= front.back().cost);
  }
  // No assignment lies below the line through two neighbours.
  for (std::size_t i = 1; i < front.size(); ++i) {
    const Assigned& a = front[i - 1];
    const Assigned& b = front[i];
    RC_ASSERT(a.cost < b.cost && a.harm > b.harm);
    for (const Sum& other : all)
      RC_ASSERT((other.harm - a.harm) * (b.cost - a.cost) >= (b.harm - a.harm) * (other.cost - a.cost));
  }
}

RC_GTEST_PROP(Search, NeighboursDifferInOneGroup, ()) {
  std::vector<SearchGroup> groups(between(1, 5));
  for (SearchGroup& group : groups) group = arbitrary_group();
  const std::vector<Assigned> front = convex_front(groups);
  for (std::size_t i = 1; i < front.size(); ++i) {
    int changed = 0;
    for (std::size_t g = 0; g < groups.size(); ++g)
      changed += front[i].groups[g] == front[i - 1].groups[g] ? 0 : 1;
    RC_ASSERT(changed == 1);
  }
}

TEST(Search, TakesTheStepsThatHarmLeastForWhatTheySave) {
  // Two layers with inputs of their own; 2, 4 and 8 bits cost 2, 4 and 8.
  const auto layer = [](std::vector<double> harm) {
    return SearchGroup{.input_harm = {0.0}, .layers = {{.harm = std::move(harm), .cost = {{2}, {4}, {8}}}}};
  };
  const std::vector<SearchGroup> groups{layer({9, 3, 0}), layer({100, 1, 0})};
  const std::vector<Assigned> front = convex_front(groups);
  std::vector<std::pair<double, double>> points;
  for (const Assigned& each : front) points.emplace_back(each.cost, each.harm);
  EXPECT_THAT(points, testing::ElementsAre(testing::Pair(4, 109), testing::Pair(6, 10), testing::Pair(8, 4),
                                           testing::Pair(12, 1), testing::Pair(16, 0)));
  EXPECT_EQ(front[2].groups, (std::vector<GroupChoice>{{0, {1}}, {0, {1}}}));
}

TEST(Search, InputsThatShareAScaleAgree) {
  // Each layer alone would take the inputs the other can't: costs by weights, then inputs.
  const SearchGroup group{.input_harm = {5.0, 0.0},
                          .layers = {{.harm = {0}, .cost = {{1, 10}}}, {.harm = {0}, .cost = {{1, 10}}}}};
  const std::vector<Assigned> front = convex_front(std::vector{group});
  ASSERT_EQ(front.size(), 2U);
  EXPECT_EQ(front[0], (Assigned{2, 5, {{0, {0, 0}}}}));
  EXPECT_EQ(front[1], (Assigned{20, 0, {{1, {0, 0}}}}));
}

TEST(Search, OfNothingIsOneAssignment) { EXPECT_EQ(convex_front({}), (std::vector<Assigned>{{}})); }

}  // namespace
}  // namespace halftone::analysis
