#include "halftone/quant/islands.h"

#include <algorithm>
#include <map>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/lower/lower.h"
#include "halftone/quant/assignment.h"
#include "halftone/quant/float_end.h"
#include "halftone/ir/work.h"
#include "halftone/quant/quantize.h"

namespace halftone::quant {
namespace {

using Key = std::pair<std::string, std::string>;  // name and operator

// Nodes of a graph by what an island keeps of them. Names may repeat.
class NodesByName {
 public:
  explicit NodesByName(const ir::Graph& graph) {
    for (std::size_t n = graph.nodes.size(); n-- > 0;)
      nodes_[{graph.nodes[n].name, std::string(ir::name_of(graph.nodes[n].op))}].push_back(n);
  }
  // The first one not taken yet.
  std::optional<std::size_t> take(const Key& key) {
    const auto found = nodes_.find(key);
    if (found == nodes_.end() || found->second.empty()) return std::nullopt;
    const std::size_t n = found->second.back();
    found->second.pop_back();
    return n;
  }

 private:
  std::map<Key, std::vector<std::size_t>> nodes_;
};

std::vector<Island> planned(const ir::Graph& graph, const Plan& plan) {
  const std::vector<bool> end = float_end(graph);
  const std::vector<std::int64_t> macs = ir::multiply_adds(graph);
  std::vector<Island> islands;
  for (const FloatNode& node : float_nodes(graph, plan)) {
    const ir::Node& own = graph.nodes[node.index];
    islands.push_back({.name = own.name,
                       .op = std::string(ir::name_of(own.op)),
                       .reason = node.reason,
                       .multiply_adds = macs[node.index],
                       .ends_network = end[node.index]});
  }
  return islands;
}

std::vector<Island> found(const ir::Graph& graph, const qgraph::QuantizedGraph& lowered, std::vector<FloatNode> known) {
  const std::vector<bool> end = float_end(graph);
  const std::vector<std::int64_t> macs = ir::multiply_adds(graph);
  std::map<std::size_t, qgraph::FloatReason> reasons;
  for (FloatNode& node : known) reasons.emplace(node.index, std::move(node.reason));
  NodesByName nodes(graph);
  std::vector<Island> islands;
  for (const qgraph::Node& node : lowered.nodes) {
    const auto* island = std::get_if<qgraph::Island>(&node.op);
    for (std::size_t i = 0; island != nullptr && i < island->graph.nodes.size(); ++i) {
      const ir::Node& part = island->graph.nodes[i];
      const Key key{part.name, std::string(ir::name_of(part.op))};
      islands.push_back({.name = key.first, .op = key.second, .reason = island->reasons[i]});
      const std::optional<std::size_t> n = nodes.take(key);
      if (!n) continue;
      islands.back().multiply_adds = macs[*n];
      islands.back().ends_network = end[*n];
      if (reasons.contains(*n)) islands.back().reason = reasons[*n];
    }
  }
  return islands;
}

}  // namespace

std::vector<Island> islands_of(const ir::Graph& graph, const qgraph::QuantizedGraph& lowered, const Plan& plan) {
  return found(graph, lowered, float_nodes(graph, plan));
}

std::vector<Island> islands_of(const ir::Graph& graph, const qgraph::QuantizedGraph& lowered) {
  return found(graph, lowered, lower::is_quantized(graph) ? std::vector<FloatNode>{} : float_nodes(graph));
}

ir::Graph trial(const ir::Graph& graph, const Recipe& recipe) {
  RangeTable ranges;
  for (const ir::Value& value : graph.values) ranges[value.name] = {-1.0F, 1.0F};
  return quantize(graph, ranges, recipe).graph;
}

Preflight preflight(const ir::Graph& graph, const Recipe& recipe) {
  const Plan plan = assign(graph, recipe).plan;
  try {
    return {islands_of(graph, lower::lower(trial(graph, recipe)), plan), std::nullopt};
  } catch (const InputError& error) {
    return {planned(graph, plan), error};
  }
}

}  // namespace halftone::quant
