// Float parts of a network in integers: what belongs to one, and that they change nothing.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "halftone/qgraph/check.h"
#include "tests/lower/network.h"

namespace halftone::qgraph {
namespace {

int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }

std::vector<std::size_t> island_sizes(const QuantizedGraph& graph) {
  std::vector<std::size_t> sizes;
  for (const Node& node : graph.nodes)
    if (const auto* island = std::get_if<Island>(&node.op)) sizes.push_back(island->graph.nodes.size());
  return sizes;
}

TEST(Islands, NodesThatFeedOneAnotherAreOne) {
  Network g;
  const ir::ValueId soft = g.node(ir::Softmax{}, {g.start()}, "soft");
  const ir::ValueId up = g.node(ir::Exp{}, {soft}, "up");
  const ir::ValueId down = g.node(ir::Softmax{}, {soft}, "down");
  const QuantizedGraph graph = g.lowered(g.node(ir::Add{}, {up, down}, "sum"));
  EXPECT_EQ(ops_of(graph), "Quantize Dequantize Island");
  EXPECT_EQ(island_sizes(graph), std::vector<std::size_t>{4});
  EXPECT_EQ(graph.values.size(), 4U);  // x, its integers, their reals, the sum
  expect_like_simulation(g.graph, graph);
}

// The sum reads the first island, and the same values after a layer in integers.
TEST(Islands, APathThroughIntegersKeepsThemApart) {
  Network g;
  const ir::ValueId soft = g.node(ir::Softmax{}, {g.start()}, "soft");
  const ir::ValueId layer = g.pair(g.gemm(g.pair(soft, kQuarter, "sq"), "layer"), kQuarter, "lq");
  const QuantizedGraph graph = g.lowered(g.node(ir::Add{}, {soft, layer}, "sum"));
  EXPECT_EQ(island_sizes(graph), (std::vector<std::size_t>{1, 1}));
  expect_like_simulation(g.graph, graph);
}

TEST(Islands, GiveAllThatOthersRead) {
  Network g;
  const ir::ValueId soft = g.node(ir::Softmax{}, {g.start()}, "soft");
  const ir::ValueId up = g.node(ir::Exp{}, {soft}, "up");
  g.pair(soft, kQuarter, "sq");
  g.graph.outputs = {g.graph.nodes.back().outputs[0], up};
  const QuantizedGraph graph = lower::lower(g.graph);
  const Node* island = find_node<Island>(graph);
  ASSERT_NE(island, nullptr);
  EXPECT_EQ(island->outputs.size(), 2U);
  expect_like_simulation(g.graph, graph);
}

TEST(Islands, EveryValueIsVisitedOnce) {
  Network g;
  const ir::ValueId soft = g.node(ir::Softmax{}, {g.start()}, "soft");
  const QuantizedGraph graph = g.lowered(g.node(ir::Exp{}, {soft}, "up"));
  std::map<std::string, int> seen;
  Interpreter(graph).run(std::vector{ir::random_floats({3, 2}, 1)}, [&](std::string_view name, Tensor&) { ++seen[std::string(name)]; });
  EXPECT_EQ(seen, (std::map<std::string, int>{{"x0", 1}, {"q", 1}, {"q_dq", 1}, {"soft", 1}, {"up", 1}}));
}

// The second operand of a constant taken twice is no other constant of a like name.
TEST(Islands, KeepConstantsOfLikeNamesApart) {
  Network g;
  const ir::ValueId c = g.graph.add_constant("c", ir::floats({2}, {2.0F, 2.0F}));
  const ir::ValueId other = g.graph.add_constant("c_1", ir::floats({2}, {100.0F, 100.0F}));
  const ir::ValueId normal = g.node(ir::LayerNormalization{}, {g.start(), c, c}, "normal");
  const ir::ValueId soft = g.node(ir::Softmax{}, {normal}, "soft");
  const QuantizedGraph graph = g.lowered(g.node(ir::Add{}, {soft, other}, "sum"));
  EXPECT_EQ(island_sizes(graph), std::vector<std::size_t>{3});
  expect_like_simulation(g.graph, graph);
}

TEST(Islands, KeepTheNamesOfTheirValues) {
  Network g;
  const ir::ValueId c = g.graph.add_constant("c", ir::floats({2}, {2.0F, 2.0F}));
  const ir::ValueId normal = g.node(ir::LayerNormalization{}, {g.start(), c, c}, "c_1");
  const QuantizedGraph graph = g.lowered(g.node(ir::Softmax{}, {normal}, "soft"));
  std::map<std::string, int> seen;
  Interpreter(graph).run(std::vector{ir::random_floats({3, 2}, 1)}, [&](std::string_view name, Tensor&) { ++seen[std::string(name)]; });
  EXPECT_EQ(seen, (std::map<std::string, int>{{"x0", 1}, {"q", 1}, {"q_dq", 1}, {"c_1", 1}, {"soft", 1}}));
}

RC_GTEST_PROP(Islands, ChangeNothing, ()) {
  Network g;
  std::vector<ir::ValueId> pairs{g.start()};
  std::vector<ir::ValueId> reals;
  const auto any = [&](const std::vector<ir::ValueId>& of) { return of[static_cast<std::size_t>(choose(static_cast<int>(of.size())))]; };
  for (int step = 0; step < 12; ++step) {
    const std::string name = "n" + std::to_string(step);
    std::vector<ir::ValueId> all = pairs;
    all.insert(all.end(), reals.begin(), reals.end());
    switch (choose(4)) {
      case 0:
        reals.push_back(g.node(ir::Softmax{}, {any(all)}, name));
        break;
      case 1:
        reals.push_back(g.node(ir::Add{}, {any(all), g.node(ir::Softmax{}, {any(all)}, name + "s")}, name));
        break;
      case 2:
        pairs.push_back(g.pair(any(all), kQuarter, name));
        break;
      default:
        pairs.push_back(g.pair(g.gemm(any(pairs), name), kQuarter, name + "q"));
    }
  }
  g.graph.outputs = {any(pairs), reals.empty() ? any(pairs) : any(reals)};
  const QuantizedGraph graph = lower::lower(g.graph);
  check(graph);
  expect_like_simulation(g.graph, graph);
  RC_ASSERT(!testing::Test::HasFailure());
}

QuantizedGraph two_layers() {
  Network g;
  return g.lowered(g.pair(g.gemm(g.pair(g.gemm(g.start(), "a"), kQuarter, "aq"), "b"), kQuarter, "y"));
}

TEST(Check, TakesWhatLowerMakes) { EXPECT_NO_THROW(check(two_layers())); }

TEST(Check, RefusesWhatIsNotWellFormed) {
  const auto expect_refused = [](const char* what, const auto& spoil) {
    QuantizedGraph graph = two_layers();
    spoil(graph);
    EXPECT_THROW(check(graph), InputError) << what;
    EXPECT_THROW(Interpreter{graph}, InputError) << what;
  };
  const auto layer = [](QuantizedGraph& graph) -> Linear& { return std::get<Gemm>(graph.nodes.at(1).op).linear; };
  expect_refused("two names alike", [](auto& g) { g.values[1].name = g.values[2].name; });
  expect_refused("a reader first", [](auto& g) { std::swap(g.nodes[1], g.nodes[2]); });
  expect_refused("a value that is not there", [](auto& g) { g.nodes[1].inputs = {77}; });
  expect_refused("an output that is not there", [](auto& g) { g.outputs = {-1}; });
  expect_refused("two producers", [](auto& g) { g.nodes[2].outputs = g.nodes[1].outputs; });
  expect_refused("no input", [](auto& g) { g.nodes[1].inputs.clear(); });
  expect_refused("integers without a scale", [](auto& g) { g.values[1].grid.reset(); });
  expect_refused("a bias too few", [&](auto& g) { layer(g).bias.pop_back(); });
  expect_refused("a weight too few", [&](auto& g) { layer(g).q_w = int8s({2, 1}, {1, 2}); });
  expect_refused("a multiplier too many", [&](auto& g) { layer(g).requantizer.scaling = MultiplyShift{{1, 1, 1}, {0, 0, 0}}; });
}

}  // namespace
}  // namespace halftone::qgraph
