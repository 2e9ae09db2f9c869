#include "halftone/ptq/absorb_biases.h"

#include <algorithm>

#include "halftone/passes/channel_pairs.h"
#include "halftone/calibration/channel_statistics.h"

namespace halftone::ptq {
namespace {

constexpr double kDeviations = 3.0;

std::vector<double> shifts(const calibration::ChannelStatistics& x) {
  std::vector<double> c;
  for (std::size_t i = 0; i < x.sum.size(); ++i)
    c.push_back(std::max(0.0, x.mean(i) - kDeviations * x.deviation(i)));
  return c;
}

bool is_some(const std::vector<double>& c) {
  return std::ranges::any_of(c, [](double value) { return value > 0.0; });
}

std::vector<passes::ChannelPair> pairs_of(const ir::Graph& graph) {
  std::vector<passes::ChannelPair> pairs = passes::channel_pairs(graph);
  std::erase_if(pairs, [&](const passes::ChannelPair& pair) { return !passes::moves_shifts(graph, pair); });
  return pairs;
}

}  // namespace

ir::Graph absorb_biases(ir::Graph graph, const calibration::Runs& runs) {
  std::vector<ir::ValueId> given;
  for (const passes::ChannelPair& pair : pairs_of(graph))
    given.push_back(graph.nodes[static_cast<std::size_t>(pair.first)].outputs[0]);
  std::vector<std::vector<double>> moved;
  for (const calibration::ChannelStatistics& seen : calibration::measure_channels(graph, given, runs))
    moved.push_back(shifts(seen));
  if (std::ranges::none_of(moved, is_some)) return graph;
  // The same pairs in the same order, Relu and Min being two nodes that keep channels as Clip is one.
  graph = passes::bounds_by_channel(std::move(graph));
  const std::vector<passes::ChannelPair> pairs = pairs_of(graph);
  for (std::size_t p = 0; p < pairs.size(); ++p)
    if (is_some(moved[p])) passes::shift(graph, pairs[p], moved[p]);
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::ptq
