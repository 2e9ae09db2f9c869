#include "halftone/float_engine/fuse.h"

#include <algorithm>

#include "halftone/float_engine/emit.h"

namespace halftone::float_engine {
namespace {

class Fusion {
 public:
  explicit Fusion(const ir::Graph& graph)
      : graph_(graph),
        uses_(ir::use_counts(graph)),
        readers_(ir::consumers(graph)),
        taken_(graph.nodes.size(), false) {}

  std::vector<Group> groups() {
    std::vector<Group> result;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n)
      if (!taken_[n]) result.push_back(group_from(n));
    std::ranges::stable_sort(result, {}, [](const Group& group) { return group.back(); });
    return result;
  }

 private:
  Group group_from(std::size_t first) {
    Group group{first};
    const ir::Op& op = graph_.nodes[first].op;
    if (may_add(op)) extend(group, [&](std::size_t n) { return adds_residual(n, group.back()); });
    if (may_activate(op))
      extend(group, [&](std::size_t n) { return !eltwise_of(graph_.nodes[n].op).empty(); });
    return group;
  }

  // Takes the only reader of the group's result in when it is what is looked for.
  template <typename Wanted>
  void extend(Group& group, Wanted wanted) {
    const auto value = static_cast<std::size_t>(graph_.nodes[group.back()].outputs[0]);
    if (uses_[value] != 1 || readers_[value].empty()) return;  // also when it is an output
    const auto reader = static_cast<std::size_t>(readers_[value][0]);
    if (taken_[reader] || !wanted(reader)) return;
    taken_[reader] = true;
    group.push_back(reader);
  }

  bool adds_residual(std::size_t n, std::size_t before) const {
    const ir::Node& node = graph_.nodes[n];
    if (!std::holds_alternative<ir::Add>(node.op)) return false;
    const ir::ValueId own = graph_.nodes[before].outputs[0];
    const ir::ValueId other = node.inputs[node.inputs[0] == own ? 1 : 0];
    return graph_.constant(other) == nullptr && graph_.value(other).shape == graph_.value(own).shape;
  }

  const ir::Graph& graph_;
  std::vector<int> uses_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> taken_;
};

}  // namespace

std::vector<Group> fuse(const ir::Graph& graph) { return Fusion(graph).groups(); }

std::vector<Group> separate(const ir::Graph& graph) {
  std::vector<Group> groups;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) groups.push_back({n});
  return groups;
}

}  // namespace halftone::float_engine
