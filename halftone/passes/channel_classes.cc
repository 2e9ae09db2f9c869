#include "halftone/passes/channel_classes.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "halftone/passes/channels.h"
#include "halftone/passes/rewrite.h"

namespace halftone::passes {
namespace {

using Ids = std::vector<int>;  // a number for each channel of a value

// Numbers every channel of every value, the same number where the same scale has to be.
class Numbering {
 public:
  explicit Numbering(const ir::Graph& graph) : graph_(graph), ids_(graph.values.size()) {
    for (ir::ValueId id : graph.inputs) fix(give(id));
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) visit(n);
    for (ir::ValueId id : graph.outputs) fix(of(id));
  }

  std::vector<ChannelClass> classes() {
    std::map<int, ChannelClass> by_root;
    const auto collect = [&](const std::vector<std::pair<int, ChannelPlace>>& from, auto ChannelClass::*where) {
      for (const auto& [id, place] : from)
        if (const int root = find(id); !fixed_[static_cast<std::size_t>(root)]) (by_root[root].*where).push_back(place);
    };
    for (std::size_t id = 0; id < parent_.size(); ++id)
      if (fixed_[id]) fixed_[static_cast<std::size_t>(find(static_cast<int>(id)))] = true;
    collect(gives_, &ChannelClass::gives);
    collect(takes_, &ChannelClass::takes);
    collect(bounds_, &ChannelClass::bounds);
    std::vector<ChannelClass> result;
    for (auto& [root, channel] : by_root)
      if (!channel.gives.empty() && !channel.takes.empty()) result.push_back(std::move(channel));
    return result;
  }

 private:
  Ids& of(ir::ValueId id) { return ids_[static_cast<std::size_t>(id)]; }
  const Shape& shape(ir::ValueId id) const { return graph_.value(id).shape; }

  int find(int id) {
    while (parent_[static_cast<std::size_t>(id)] != id) id = parent_[static_cast<std::size_t>(id)];
    return id;
  }
  void join(int a, int b) { parent_[static_cast<std::size_t>(std::max(find(a), find(b)))] = std::min(find(a), find(b)); }
  void fix(const Ids& ids) {
    for (int id : ids) fixed_[static_cast<std::size_t>(id)] = true;
  }

  // New numbers for a value; none where its channels are not known.
  Ids& give(ir::ValueId id) {
    Ids& ids = of(id);
    const Shape& s = shape(id);
    if (s.size() < 2 || s[1] < 0) return ids;
    ids.resize(static_cast<std::size_t>(s[1]));
    std::iota(ids.begin(), ids.end(), static_cast<int>(parent_.size()));
    parent_.insert(parent_.end(), ids.begin(), ids.end());
    fixed_.resize(parent_.size(), false);
    return ids;
  }

  static void note(std::size_t node, const Ids& ids, std::vector<std::pair<int, ChannelPlace>>& where) {
    for (std::size_t c = 0; c < ids.size(); ++c) where.emplace_back(ids[c], ChannelPlace{node, c});
  }

  void visit(std::size_t n) {
    const ir::Node& node = graph_.nodes[n];
    const ir::ValueId y = node.outputs[0];
    if (weight_channels(graph_, node) > 0) return visit_layer(n, node);
    if (scales_along(node.op)) {
      of(y) = of(node.inputs[0]);
    } else if (is_channel_bound(graph_, node)) {
      of(y) = of(node.inputs[0]);
      note(n, of(y), bounds_);
    } else if (!follow_sum(node) && !follow_concat(node) && !follow_flatten(node)) {
      for (ir::ValueId id : node.inputs)
        if (id != ir::kNoValue) fix(of(id));
      for (ir::ValueId id : node.outputs) fix(give(id));
    }
  }

  void visit_layer(std::size_t n, const ir::Node& node) {
    const Ids& x = of(node.inputs[0]);
    if (takes_channels(graph_, node))
      note(n, x, takes_);
    else
      fix(x);
    for (std::size_t i = 1; i < node.inputs.size(); ++i)
      if (node.inputs[i] != ir::kNoValue) fix(of(node.inputs[i]));  // computed weights or bias
    const Ids& y = give(node.outputs[0]);
    if (gives_channels(graph_, node))
      note(n, y, gives_);
    else
      fix(y);
  }

  bool follow_sum(const ir::Node& node) {
    if (!std::holds_alternative<ir::Add>(node.op) && !std::holds_alternative<ir::Sub>(node.op)) return false;
    const Ids& a = of(node.inputs[0]);
    const Ids& b = of(node.inputs[1]);
    if (shape(node.inputs[0]) != shape(node.inputs[1]) || a.empty() || a.size() != b.size()) return false;
    for (std::size_t c = 0; c < a.size(); ++c) join(a[c], b[c]);
    of(node.outputs[0]) = a;
    return true;
  }

  bool follow_concat(const ir::Node& node) {
    const auto* concat = std::get_if<ir::Concat>(&node.op);
    if (concat == nullptr || normalize_axis(concat->axis, shape(node.outputs[0]).size(), "Concat") != 1) return false;
    Ids joined;
    for (ir::ValueId id : node.inputs) {
      if (of(id).empty()) return false;
      joined.insert(joined.end(), of(id).begin(), of(id).end());
    }
    of(node.outputs[0]) = joined;
    return true;
  }

  // [N, C, …] to [N, C·…]: every element of a channel is a channel of its own behind it.
  bool follow_flatten(const ir::Node& node) {
    if (!std::holds_alternative<ir::Flatten>(node.op) && !std::holds_alternative<ir::Reshape>(node.op)) return false;
    const Shape& x = shape(node.inputs[0]);
    const Shape& y = shape(node.outputs[0]);
    const Ids& ids = of(node.inputs[0]);
    if (ids.empty() || y.size() != 2 || x[0] != y[0] || product(x, 1, x.size()) != y[1]) return false;
    Ids flat;
    for (int id : ids) flat.insert(flat.end(), static_cast<std::size_t>(y[1]) / ids.size(), id);
    of(node.outputs[0]) = flat;
    return true;
  }

  const ir::Graph& graph_;
  std::vector<Ids> ids_;     // by value
  std::vector<int> parent_;  // of each number: union-find
  std::vector<bool> fixed_;
  std::vector<std::pair<int, ChannelPlace>> gives_;
  std::vector<std::pair<int, ChannelPlace>> takes_;
  std::vector<std::pair<int, ChannelPlace>> bounds_;
};

// By node, a factor for each channel at one end of the classes; 1 where no class is.
using Factors = std::map<std::size_t, std::vector<double>>;

Factors factors_at(const std::vector<ChannelClass>& classes, const std::vector<double>& scale,
                   std::vector<ChannelPlace> ChannelClass::*end, const auto& channels_of) {
  Factors factors;
  for (std::size_t i = 0; i < classes.size(); ++i)
    for (const ChannelPlace& place : classes[i].*end) {
      auto [at, added] = factors.try_emplace(place.node);
      if (added) at->second.assign(channels_of(place.node), 1.0);
      at->second[place.channel] = scale[i];
    }
  return factors;
}

}  // namespace

std::vector<ChannelClass> channel_classes(const ir::Graph& graph) { return Numbering(graph).classes(); }

std::vector<double> taking_ranges(const ir::Graph& graph, const std::vector<ChannelClass>& classes) {
  std::map<std::size_t, std::vector<double>> ranges;  // by node and input channel
  std::vector<double> result;
  for (const ChannelClass& channel : classes) {
    double range = 0.0;
    for (const ChannelPlace& place : channel.takes) {
      auto [at, added] = ranges.try_emplace(place.node);
      const ir::Node& node = graph.nodes[place.node];
      if (added) {
        const auto weights = graph.constant(node.inputs[1])->data<float>();
        at->second.assign(static_cast<std::size_t>(graph.value(node.inputs[0]).shape[1]), 0.0);
        for_taking(graph, node, [&](std::size_t i, std::size_t c) {
          at->second[c] = std::max(at->second[c], std::fabs(double{weights[i]}));
        });
      }
      range = std::max(range, at->second[place.channel]);
    }
    result.push_back(range);
  }
  return result;
}

void rescale(ir::Graph& graph, const std::vector<ChannelClass>& classes, const std::vector<double>& scale) {
  const auto given = [&](std::size_t n) { return static_cast<std::size_t>(weight_channels(graph, graph.nodes[n])); };
  const auto taken = [&](std::size_t n) {
    return static_cast<std::size_t>(graph.value(graph.nodes[n].inputs[0]).shape[1]);
  };
  for (const auto& [n, factor] : factors_at(classes, scale, &ChannelClass::gives, given))
    divide_giving(graph, graph.nodes[n], factor);
  for (const auto& [n, factor] : factors_at(classes, scale, &ChannelClass::takes, taken))
    scale_taking(graph, graph.nodes[n], factor);
  for (const auto& [n, factor] : factors_at(classes, scale, &ChannelClass::bounds, taken)) {
    ir::Node& node = graph.nodes[n];
    Tensor bound = *graph.constant(node.inputs[1]);
    auto bounds = bound.mutable_data<float>();
    for (std::size_t c = 0; c < bounds.size(); ++c) bounds[c] = static_cast<float>(bounds[c] / factor[c]);
    set_constant(graph, node, 1, std::move(bound));
  }
}

}  // namespace halftone::passes
