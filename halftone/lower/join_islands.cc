#include "halftone/lower/join_islands.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <queue>
#include <set>

namespace halftone::lower {
namespace {

constexpr std::size_t kNone = SIZE_MAX;

bool is_island(const qgraph::Node& node) { return std::holds_alternative<qgraph::Island>(node.op); }

std::vector<std::size_t> producers_of(const qgraph::QuantizedGraph& graph) {
  std::vector<std::size_t> producers(graph.values.size(), kNone);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (qgraph::ValueId id : graph.nodes[n].outputs) producers[static_cast<std::size_t>(id)] = n;
  return producers;
}

// The representative of each node's group: a node by itself, or islands that become one. A node's level is how often a path
// to it has left an island for integers; islands of one level never reach one another through integers.
class Groups {
 public:
  explicit Groups(const qgraph::QuantizedGraph& graph) : parent_(graph.nodes.size()) {
    std::iota(parent_.begin(), parent_.end(), 0);
    const std::vector<std::size_t> producers = producers_of(graph);
    std::vector<std::int64_t> level(graph.nodes.size(), 0);
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      const bool island = is_island(graph.nodes[n]);
      const auto each = [&](const auto& visit) {
        for (qgraph::ValueId id : graph.nodes[n].inputs)
          if (const std::size_t from = producers[static_cast<std::size_t>(id)]; from != kNone) visit(from);
      };
      each([&](std::size_t from) {
        level[n] = std::max(level[n], level[from] + (is_island(graph.nodes[from]) && !island ? 1 : 0));
      });
      if (!island) continue;
      each([&](std::size_t from) {
        if (is_island(graph.nodes[from]) && level[from] == level[n]) join(from, n);
      });
    }
  }

  // The group's first node.
  std::size_t root(std::size_t n) {
    while (parent_[n] != n) n = parent_[n] = parent_[parent_[n]];
    return n;
  }

 private:
  void join(std::size_t a, std::size_t b) {
    const auto [first, other] = std::minmax({root(a), root(b)});
    parent_[other] = first;
  }

  std::vector<std::size_t> parent_;
};

// Takes islands one after another into one graph.
class Joined {
 public:
  explicit Joined(const qgraph::QuantizedGraph& graph) : graph_(graph) {}

  void take(const qgraph::Node& node) {
    if (result_.name.empty()) result_.name = node.name;
    const auto& island = std::get<qgraph::Island>(node.op);
    std::map<ir::ValueId, ir::ValueId> own;  // by the island's value
    for (std::size_t i = 0; i < node.inputs.size(); ++i) own[island.graph.inputs[i]] = input(node.inputs[i]);
    for (const ir::Node& each : island.graph.nodes) {
      ir::Node taken{each.name, each.op, {}, {}};
      for (ir::ValueId id : each.inputs) taken.inputs.push_back(id == ir::kNoValue ? id : value(island.graph, id, own));
      for (ir::ValueId id : each.outputs) taken.outputs.push_back(value(island.graph, id, own));
      joined_.graph.nodes.push_back(std::move(taken));
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) inner_[node.outputs[i]] = own.at(island.graph.outputs[i]);
    std::ranges::copy(island.reasons, std::back_inserter(joined_.reasons));
  }

  // `read`: the values, by number, that others read.
  qgraph::Node node(const std::vector<bool>& read) && {
    for (const auto& [id, inner] : inner_) {
      if (!read[static_cast<std::size_t>(id)] || inputs_.contains(id)) continue;
      result_.outputs.push_back(id);
      joined_.graph.outputs.push_back(inner);
    }
    result_.op = std::move(joined_);
    return std::move(result_);
  }

 private:
  ir::ValueId input(qgraph::ValueId id) {
    if (const auto found = inner_.find(id); found != inner_.end()) return found->second;
    const qgraph::Value& value = graph_.value(id);
    result_.inputs.push_back(id);
    inputs_.insert(id);
    joined_.graph.inputs.push_back(push({value.name, value.dtype, value.shape, std::nullopt}));
    return inner_[id] = joined_.graph.inputs.back();
  }

  // A constant has the name of the file's, so that one name is one constant.
  ir::ValueId value(const ir::Graph& island, ir::ValueId id, std::map<ir::ValueId, ir::ValueId>& own) {
    if (const auto found = own.find(id); found != own.end()) return found->second;
    const ir::Value& from = island.value(id);
    if (!from.constant) return own[id] = push(from);
    const auto [known, added] = constants_.try_emplace(from.name, ir::kNoValue);
    if (added) known->second = push(from);
    return own[id] = known->second;
  }

  // Names differ already: looking for one that is free would take a look at all others.
  ir::ValueId push(ir::Value added) {
    joined_.graph.values.push_back(std::move(added));
    return static_cast<ir::ValueId>(joined_.graph.values.size()) - 1;
  }

  const qgraph::QuantizedGraph& graph_;
  qgraph::Node result_;
  qgraph::Island joined_;
  std::map<qgraph::ValueId, ir::ValueId> inner_;  // by the graph's value
  std::map<std::string, ir::ValueId> constants_;
  std::set<qgraph::ValueId> inputs_;
};

// Values that the graph gives or that a node outside of their producer's group reads.
std::vector<bool> read_by_others(const qgraph::QuantizedGraph& graph, Groups& groups) {
  const std::vector<std::size_t> producers = producers_of(graph);
  std::vector<bool> read(graph.values.size(), false);
  for (qgraph::ValueId id : graph.outputs) read[static_cast<std::size_t>(id)] = true;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (qgraph::ValueId id : graph.nodes[n].inputs) {
      const std::size_t from = producers[static_cast<std::size_t>(id)];
      if (from != kNone && groups.root(from) != groups.root(n)) read[static_cast<std::size_t>(id)] = true;
    }
  return read;
}

// Producers first, and else in the order of their first parts.
std::vector<qgraph::Node> in_order(std::vector<qgraph::Node> nodes) {
  std::map<qgraph::ValueId, std::size_t> producers;
  for (std::size_t n = 0; n < nodes.size(); ++n)
    for (qgraph::ValueId id : nodes[n].outputs) producers[id] = n;
  std::vector<std::set<std::size_t>> readers(nodes.size());
  std::vector<std::size_t> missing(nodes.size(), 0);
  for (std::size_t n = 0; n < nodes.size(); ++n)
    for (qgraph::ValueId id : nodes[n].inputs)
      if (const auto from = producers.find(id); from != producers.end() && readers[from->second].insert(n).second) ++missing[n];
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t n = 0; n < nodes.size(); ++n)
    if (missing[n] == 0) ready.push(n);
  std::vector<qgraph::Node> sorted;
  while (!ready.empty()) {
    const std::size_t n = ready.top();
    ready.pop();
    for (std::size_t reader : readers[n])
      if (--missing[reader] == 0) ready.push(reader);
    sorted.push_back(std::move(nodes[n]));
  }
  return sorted;
}

// Without values that nothing names.
void compact(qgraph::QuantizedGraph& graph) {
  std::vector<qgraph::ValueId> place(graph.values.size(), -1);
  std::deque<qgraph::Value> values;
  const auto keep = [&](std::vector<qgraph::ValueId>& ids) {
    for (qgraph::ValueId& id : ids) {
      qgraph::ValueId& to = place[static_cast<std::size_t>(id)];
      if (to < 0) {
        to = static_cast<qgraph::ValueId>(values.size());
        values.push_back(graph.values[static_cast<std::size_t>(id)]);
      }
      id = to;
    }
  };
  keep(graph.inputs);
  for (qgraph::Node& node : graph.nodes) {
    keep(node.inputs);
    keep(node.outputs);
  }
  keep(graph.outputs);
  graph.values = std::move(values);
}

}  // namespace

qgraph::QuantizedGraph join_islands(qgraph::QuantizedGraph graph) {
  if (std::ranges::none_of(graph.nodes, is_island)) return graph;
  Groups groups(graph);
  const std::vector<bool> read = read_by_others(graph, groups);
  std::map<std::size_t, std::vector<std::size_t>> members;  // by the group's first node
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) members[groups.root(n)].push_back(n);
  std::vector<qgraph::Node> nodes;
  for (const auto& [root, all] : members) {
    if (!is_island(graph.nodes[root])) {
      nodes.push_back(std::move(graph.nodes[root]));
      continue;
    }
    Joined joined(graph);
    for (std::size_t n : all) joined.take(graph.nodes[n]);
    nodes.push_back(std::move(joined).node(read));
  }
  graph.nodes = in_order(std::move(nodes));
  compact(graph);
  return graph;
}

}  // namespace halftone::lower
