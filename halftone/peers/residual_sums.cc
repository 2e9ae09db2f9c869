#include "halftone/peers/residual_sums.h"

#include <algorithm>

namespace halftone::peers {
namespace {

using qgraph::ValueId;

// Indices of the nodes that read each value, and of the one that computes it.
struct Uses {
  std::vector<std::vector<std::size_t>> readers;
  std::vector<std::optional<std::size_t>> producer;
  std::vector<bool> is_output;

  explicit Uses(const qgraph::QuantizedGraph& graph)
      : readers(graph.values.size()), producer(graph.values.size()), is_output(graph.values.size()) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      for (ValueId id : graph.nodes[n].inputs) readers[at(id)].push_back(n);
      for (ValueId id : graph.nodes[n].outputs) producer[at(id)] = n;
    }
    for (ValueId id : graph.outputs) is_output[at(id)] = true;
  }

  static std::size_t at(ValueId id) { return static_cast<std::size_t>(id); }
  bool is_read_by(ValueId id, std::size_t node) const { return !is_output[at(id)] && readers[at(id)] == std::vector<std::size_t>{node}; }
  // Whether its memory is free for the result of node `add` once node `conv` runs.
  bool is_free(const qgraph::QuantizedGraph& graph, ValueId id, std::size_t conv, std::size_t add) const {
    const auto shares_memory = [&](std::size_t n) { return std::holds_alternative<qgraph::Move>(graph.nodes[n].op); };
    if (is_output[at(id)] || !producer[at(id)] || shares_memory(*producer[at(id)])) return false;
    return std::ranges::all_of(readers[at(id)], [&](std::size_t n) { return n == add || (n < conv && !shares_memory(n)); });
  }
};

}  // namespace

std::map<std::size_t, ResidualSum> residual_sums(const qgraph::QuantizedGraph& graph) {
  const Uses uses(graph);
  std::map<std::size_t, ResidualSum> sums;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const auto* add = std::get_if<qgraph::Add>(&graph.nodes[n].op);
    if (add == nullptr || add->subtract) continue;
    const ValueId a = graph.nodes[n].inputs[0];
    const ValueId b = graph.nodes[n].inputs[1];
    if (a == b || graph.value(a).shape != graph.value(b).shape) continue;
    const auto made_a = uses.producer[Uses::at(a)];
    const auto made_b = uses.producer[Uses::at(b)];
    const bool last_is_b = made_b > made_a;
    const ValueId last = last_is_b ? b : a;
    const ValueId other = last_is_b ? a : b;
    const auto conv = last_is_b ? made_b : made_a;
    if (!conv || !std::holds_alternative<qgraph::Conv>(graph.nodes[*conv].op)) continue;
    if (!uses.is_read_by(last, n) || !uses.is_free(graph, other, *conv, n)) continue;
    const float conv_scale = (last_is_b ? add->b : add->a).scale;
    const float other_scale = (last_is_b ? add->a : add->b).scale;
    sums[*conv] = {n, other, conv_scale / add->y.scale, other_scale / add->y.scale};
  }
  return sums;
}

}  // namespace halftone::peers
