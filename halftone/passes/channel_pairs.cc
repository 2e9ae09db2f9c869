#include "halftone/passes/channel_pairs.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "halftone/passes/channels.h"
#include "halftone/passes/rewrite.h"

namespace halftone::passes {
namespace {

bool pads(const ir::Window& window) {
  return window.auto_pad == ir::AutoPad::same_upper || window.auto_pad == ir::AutoPad::same_lower ||
         std::ranges::any_of(window.pads, [](std::int64_t pad) { return pad != 0; });
}

// Gives every bound between the two a new value (new constants).
void for_bounds(ir::Graph& graph, const ChannelPair& pair,
                const std::function<double(float bound, std::size_t channel)>& moved) {
  for (int n : pair.between) {
    ir::Node& node = graph.nodes[static_cast<std::size_t>(n)];
    if (!is_channel_bound(graph, node)) continue;
    Tensor bound = *graph.constant(node.inputs[1]);
    auto bounds = bound.mutable_data<float>();
    for (std::size_t c = 0; c < bounds.size(); ++c) bounds[c] = static_cast<float>(moved(bounds[c], c));
    set_constant(graph, node, 1, std::move(bound));
  }
}

const ir::Node& node_at(const ir::Graph& graph, int index) {
  return graph.nodes[static_cast<std::size_t>(index)];
}

std::vector<double> ranges_of(std::size_t channels, std::span<const float> weights,
                              const std::function<std::size_t(std::size_t)>& channel) {
  std::vector<double> ranges(channels, 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double& range = ranges[channel(i)];
    range = std::max(range, std::abs(double{weights[i]}));
  }
  return ranges;
}

}  // namespace

std::vector<ChannelPair> channel_pairs(const ir::Graph& graph) {
  const auto readers = ir::consumers(graph);
  const std::vector<int> uses = ir::use_counts(graph);
  std::vector<ChannelPair> pairs;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!gives_channels(graph, graph.nodes[n])) continue;
    ChannelPair pair{.first = static_cast<int>(n)};
    for (ir::ValueId at = graph.nodes[n].outputs[0]; uses[static_cast<std::size_t>(at)] == 1;) {
      const auto& next = readers[static_cast<std::size_t>(at)];
      if (next.empty() || node_at(graph, next[0]).inputs[0] != at) break;
      const ir::Node& node = node_at(graph, next[0]);
      if (takes_channels(graph, node)) {
        pair.second = next[0];
        pairs.push_back(pair);
        break;
      }
      if (!scales_along(node.op) && !is_positive_clip(node) && !is_channel_bound(graph, node)) break;
      pair.between.push_back(next[0]);
      at = node.outputs[0];
    }
  }
  return pairs;
}

ir::Graph bounds_by_channel(ir::Graph graph) {
  std::vector<bool> bounds(graph.nodes.size(), false);
  for (const ChannelPair& pair : channel_pairs(graph))
    for (int n : pair.between) bounds[static_cast<std::size_t>(n)] = is_positive_clip(node_at(graph, n));
  ir::Nodes nodes;
  for (std::size_t n = 0; n < bounds.size(); ++n) {
    ir::Node node = std::move(graph.nodes[n]);
    if (!bounds[n]) {
      nodes.push_back(std::move(node));
      continue;
    }
    const float hi = std::get<ir::Clip>(node.op).hi;
    const ir::Value y = graph.value(node.outputs[0]);
    const ir::ValueId output = node.outputs[0];
    node.op = ir::Relu{};
    if (std::isfinite(hi)) {
      Shape shape(y.shape.size() - 1, 1);
      shape[0] = y.shape[1];
      const std::vector<float> all(static_cast<std::size_t>(y.shape[1]), hi);
      const ir::ValueId bound = graph.add_constant(y.name + "_bound", Tensor::from<float>(shape, all));
      node.outputs = {graph.add_value(y.name + "_positive", y.dtype, y.shape)};
      ir::Node min{node.name + "_bound", ir::Min{}, {node.outputs[0], bound}, {output}};
      nodes.push_back(std::move(node));
      nodes.push_back(std::move(min));
    } else {
      nodes.push_back(std::move(node));
    }
  }
  graph.nodes = std::move(nodes);
  return graph;
}

std::vector<double> giving_ranges(const ir::Graph& graph, const ChannelPair& pair) {
  const ir::Node& node = node_at(graph, pair.first);
  const auto channels = static_cast<std::size_t>(weight_channels(graph, node));
  const auto weights = graph.constant(node.inputs[1])->data<float>();
  const std::size_t row = weights.size() / channels;
  return ranges_of(channels, weights,
                   [&](std::size_t i) { return ir::weight_axis(node.op) == 1 ? i % channels : i / row; });
}

std::vector<double> taking_ranges(const ir::Graph& graph, const ChannelPair& pair) {
  const ir::Node& node = node_at(graph, pair.second);
  std::vector<std::size_t> channel_of(static_cast<std::size_t>(graph.constant(node.inputs[1])->size()));
  for_taking(graph, node, [&](std::size_t i, std::size_t channel) { channel_of[i] = channel; });
  const auto channels = static_cast<std::size_t>(weight_channels(graph, node_at(graph, pair.first)));
  return ranges_of(channels, graph.constant(node.inputs[1])->data<float>(),
                   [&](std::size_t i) { return channel_of[i]; });
}

void rescale(ir::Graph& graph, const ChannelPair& pair, const std::vector<double>& scale) {
  ir::Node& first = graph.nodes[static_cast<std::size_t>(pair.first)];
  ir::Node& second = graph.nodes[static_cast<std::size_t>(pair.second)];
  divide_giving(graph, first, scale);
  scale_taking(graph, second, scale);
  for_bounds(graph, pair, [&](float bound, std::size_t c) { return bound / scale[c]; });
}

bool moves_shifts(const ir::Graph& graph, const ChannelPair& pair) {
  const ir::Node& second = node_at(graph, pair.second);
  const auto* conv = std::get_if<ir::Conv>(&second.op);
  if ((conv != nullptr && pads(conv->window)) || bias_of(graph, second).empty()) return false;
  return std::ranges::none_of(pair.between, [&](int n) {
    const auto* pool = std::get_if<ir::AveragePool>(&node_at(graph, n).op);
    return pool != nullptr && pool->count_include_pad && pads(pool->window);
  });
}

void shift(ir::Graph& graph, const ChannelPair& pair, const std::vector<double>& c) {
  ir::Node& first = graph.nodes[static_cast<std::size_t>(pair.first)];
  ir::Node& second = graph.nodes[static_cast<std::size_t>(pair.second)];
  std::vector<double> given = bias_of(graph, first);
  for (std::size_t i = 0; i < c.size(); ++i) given[i] -= c[i];
  std::vector<double> taken = bias_of(graph, second);
  const auto weights = graph.constant(second.inputs[1])->data<float>();
  const std::size_t row = weights.size() / taken.size();
  for_taking(graph, second, [&](std::size_t i, std::size_t channel) {
    taken[ir::weight_axis(second.op) == 1 ? i % taken.size() : i / row] += weights[i] * c[channel];
  });
  set_bias(graph, first, given, bias_name(graph, first));
  set_bias(graph, second, taken, bias_name(graph, second));
  for_bounds(graph, pair, [&](float bound, std::size_t i) { return bound - c[i]; });
}

}  // namespace halftone::passes
