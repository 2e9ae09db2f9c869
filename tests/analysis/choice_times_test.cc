// Times that choices add, of networks whose runs take as long as the test says.
#include "halftone/analysis/choice_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/analysis/analyzed.h"

namespace halftone::analysis {
namespace {

using namespace std::chrono_literals;

void wait(std::chrono::steady_clock::duration time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

// A run of 1 ms, and 5 ms more for each layer that reads integers of 16 bits.
std::function<void()> plan(const qgraph::QuantizedGraph& graph) {
  auto time = std::chrono::steady_clock::duration(1ms);
  for (const qgraph::Node& node : graph.nodes)
    if (qgraph::linear_of(node.op) != nullptr && graph.value(node.inputs[0]).grid->format.bits == 16) time += 5ms;
  return [time] { wait(time); };
}

int kind(int bits) { return bits <= 8 ? 8 : bits; }

struct Timed {
  ir::Graph graph = float_network();
  quant::Recipe recipe;
  calibration::Samples some = calibration::samples_of(samples(16, {1, 6, 6}), {});
  calibration::StatisticsTable seen = quant::statistics_of(graph, some.inputs[0].rows);
};

TEST(ChoiceTimes, AreOfTheChoicesThatTheEngineTellsApart) {
  const Timed timed;
  const std::vector<MixedGroup> groups = mixed_groups(timed.graph, timed.recipe, {2, 8}, {4, 8, 16});
  int planned = 0;
  const ChoiceTimes times = measure_choice_times({.graph = timed.graph,
                                                  .recipe = timed.recipe,
                                                  .groups = groups,
                                                  .seen = timed.seen,
                                                  .plan = [&](const qgraph::QuantizedGraph& graph) { return ++planned, plan(graph); },
                                                  .kind = kind,
                                                  .seconds = 0.01});
  EXPECT_EQ(planned, 1 + static_cast<int>(groups.size()));
  EXPECT_GE(times.start, 1.0);
  for (const MixedGroup& group : groups) {
    double added = 0.0;
    for (const MixedLayer& layer : group.layers) {
      EXPECT_EQ(times.added(group, layer, 2, 4), 0.0);
      EXPECT_EQ(times.added(group, layer, 2, 16), times.added(group, layer, 8, 16));
      added += times.added(group, layer, 8, 16);
    }
    EXPECT_GT(added, 2.0 * static_cast<double>(group.layers.size()));
  }
}

TEST(ChoiceTimes, KnowsChoicesThatAreAlike) {
  const Timed timed;
  const auto kinds = [&](const std::vector<int>& weights, const std::vector<int>& inputs) {
    const ChoiceKinds found = kinds_of(mixed_groups(timed.graph, timed.recipe, weights, inputs), kind);
    return std::pair(found.several, found.alike);
  };
  EXPECT_EQ(kinds({2, 8}, {8}), std::pair(false, true));
  EXPECT_EQ(kinds({8}, {8, 16}), std::pair(true, false));
  EXPECT_EQ(kinds({4, 8}, {8, 16}), std::pair(true, true));
}

}  // namespace
}  // namespace halftone::analysis
