#include "halftone/ptq/smooth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "halftone/base/error.h"
#include "halftone/passes/channel_classes.h"
#include "halftone/calibration/channel_statistics.h"

namespace halftone::ptq {
namespace {

constexpr double kDead = 0x1p-20;  // of the layer's range: no channel to scale by

// Classes of one value that layers take: channels of several, as along a residual stream, have no one distribution that
// a scale could fit.
std::vector<passes::ChannelClass> of_one_value(const ir::Graph& graph, std::vector<passes::ChannelClass> classes) {
  std::erase_if(classes, [&](const passes::ChannelClass& channel) {
    return std::ranges::any_of(channel.takes, [&](const passes::ChannelPlace& at) {
      return graph.nodes[at.node].inputs[0] != graph.nodes[channel.takes[0].node].inputs[0];
    });
  });
  return classes;
}

// The largest value of each class on the samples: max|x| of the values that layers take.
std::vector<double> seen_of(const ir::Graph& graph, const std::vector<passes::ChannelClass>& classes,
                            const calibration::Runs& runs) {
  std::map<ir::ValueId, std::size_t> place;
  std::vector<ir::ValueId> taken;
  const auto input_of = [&](const passes::ChannelPlace& at) { return graph.nodes[at.node].inputs[0]; };
  for (const passes::ChannelClass& channel : classes)
    for (const passes::ChannelPlace& at : channel.takes)
      if (place.try_emplace(input_of(at), taken.size()).second) taken.push_back(input_of(at));
  if (taken.empty()) return {};
  const auto seen = calibration::measure_channels(graph, taken, runs);
  std::vector<double> result;
  for (const passes::ChannelClass& channel : classes) {
    double most = 0.0;
    for (const passes::ChannelPlace& at : channel.takes)
      most = std::max(most, seen[place.at(input_of(at))].largest(at.channel));
    result.push_back(most);
  }
  return result;
}

// Classes with what the samples showed of them, by the layer that first takes them: it compares them with each other.
struct Group {
  std::vector<passes::ChannelClass> classes;
  std::vector<double> x;
};

std::map<std::size_t, Group> by_layer(std::vector<passes::ChannelClass> classes, const std::vector<double>& x) {
  std::map<std::size_t, Group> result;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    Group& group = result[classes[i].takes[0].node];
    group.x.push_back(x[i]);
    group.classes.push_back(std::move(classes[i]));
  }
  return result;
}

std::vector<double> scales(const std::vector<double>& x, const std::vector<double>& w, double alpha) {
  const double x_least = kDead * std::ranges::max(x);
  const double w_least = kDead * std::ranges::max(w);
  std::vector<double> result(w.size(), 0.0);
  double logarithms = 0.0;
  int living = 0;
  for (std::size_t c = 0; c < w.size(); ++c) {
    if (x[c] <= x_least || w[c] <= w_least) continue;
    result[c] = std::pow(x[c], alpha) / std::pow(w[c], 1.0 - alpha);
    logarithms += std::log(result[c]);
    ++living;
  }
  const double average = living == 0 ? 1.0 : std::exp(logarithms / living);
  for (double& s : result)
    if (s == 0.0) s = average;
  return result;
}

}  // namespace

ir::Graph smooth(ir::Graph graph, double alpha, const calibration::Runs& runs) {
  if (!(alpha > 0.0 && alpha <= 1.0))
    throw UsageError("smooth", fmt::format("alpha, got {}, expected above 0 and at most 1", alpha));
  std::vector<passes::ChannelClass> classes = of_one_value(graph, passes::channel_classes(graph));
  const std::vector<double> x = seen_of(graph, classes, runs);
  const auto groups = by_layer(std::move(classes), x);
  // From the end: what a layer gives is scaled before max|W_j| of what it takes.
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    const auto& [own, seen] = group->second;
    passes::rescale(graph, own, scales(seen, passes::taking_ranges(graph, own), alpha));
  }
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::ptq
