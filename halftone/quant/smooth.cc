#include "halftone/quant/smooth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/passes/channel_pairs.h"
#include "halftone/quant/channel_statistics.h"

namespace halftone::quant {
namespace {

constexpr double kDead = 0x1p-20;  // of the layer's range: no channel to scale by

std::vector<double> scales(const ChannelStatistics& x, const std::vector<double>& w, double alpha) {
  std::vector<double> x_max;
  for (std::size_t c = 0; c < w.size(); ++c) x_max.push_back(x.largest(c));
  const double x_least = kDead * std::ranges::max(x_max);
  const double w_least = kDead * std::ranges::max(w);
  std::vector<double> result(w.size(), 0.0);
  double logarithms = 0.0;
  int living = 0;
  for (std::size_t c = 0; c < w.size(); ++c) {
    if (x_max[c] <= x_least || w[c] <= w_least) continue;
    result[c] = std::pow(x_max[c], alpha) / std::pow(w[c], 1.0 - alpha);
    logarithms += std::log(result[c]);
    ++living;
  }
  const double average = living == 0 ? 1.0 : std::exp(logarithms / living);
  for (double& s : result)
    if (s == 0.0) s = average;
  return result;
}

}  // namespace

ir::Graph smooth(ir::Graph graph, double alpha, const SampleSource& samples, const CalibrationOptions& options,
                 const MakeExecutor& make_executor) {
  if (!(alpha > 0.0 && alpha <= 1.0))
    throw UsageError("smooth", fmt::format("alpha, got {}, expected above 0 and at most 1", alpha));
  graph = passes::bounds_by_channel(std::move(graph));
  const std::vector<passes::ChannelPair> pairs = passes::channel_pairs(graph);
  std::vector<ir::ValueId> taken;
  for (const passes::ChannelPair& pair : pairs)
    taken.push_back(graph.nodes[static_cast<std::size_t>(pair.second)].inputs[0]);
  const auto seen = measure_channels(graph, taken, samples, options, make_executor);
  // From the end: what a layer gives is scaled before max|W_j| of what it takes.
  for (std::size_t p = pairs.size(); p-- > 0;)
    passes::rescale(graph, pairs[p], scales(seen[p], passes::taking_ranges(graph, pairs[p]), alpha));
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::quant
