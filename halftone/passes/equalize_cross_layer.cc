#include <algorithm>
#include <cmath>

#include "halftone/passes/channel_pairs.h"
#include "halftone/passes/pass.h"

namespace halftone::passes {
namespace {

constexpr int kMaxRounds = 20;
constexpr double kSettled = 1e-3;     // the largest change of a scale, relative
constexpr double kDead = 0x1p-20;     // of the layer's range: no channel to scale by

// s = √(r_first·r_second)/r_second; 1 for channels that one of the two hardly uses.
std::vector<double> scales(const ir::Graph& graph, const ChannelPair& pair) {
  const std::vector<double> given = giving_ranges(graph, pair);
  const std::vector<double> taken = taking_ranges(graph, pair);
  const double most_given = std::ranges::max(given);
  const double most_taken = std::ranges::max(taken);
  std::vector<double> result(given.size(), 1.0);
  for (std::size_t c = 0; c < given.size(); ++c)
    if (given[c] > kDead * most_given && taken[c] > kDead * most_taken)
      result[c] = std::sqrt(given[c] / taken[c]);
  return result;
}

}  // namespace

ir::Graph equalize_cross_layer(ir::Graph graph) {
  graph = bounds_by_channel(std::move(graph));
  const std::vector<ChannelPair> pairs = channel_pairs(graph);
  std::vector<std::vector<double>> total(pairs.size());
  ir::Graph evened = graph;
  double change = 1.0;
  for (int round = 0; round < kMaxRounds && change > kSettled; ++round) {
    change = 0.0;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      const std::vector<double> by = scales(evened, pairs[p]);
      total[p].resize(by.size(), 1.0);
      for (std::size_t c = 0; c < by.size(); ++c) {
        total[p][c] *= by[c];
        change = std::max(change, std::abs(by[c] - 1.0));
      }
      rescale(evened, pairs[p], by);
    }
  }
  for (std::size_t p = 0; p < pairs.size(); ++p) rescale(graph, pairs[p], total[p]);
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::passes
