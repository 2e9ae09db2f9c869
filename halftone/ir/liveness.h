// How long values are needed while nodes run one after another.
#pragma once

#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::ir {

// By value: the node after which it may be freed. That is the last one that reads it, the one that computes it where none
// does, and graph.nodes.size() for what the graph gives. For ir::Graph and qgraph::QuantizedGraph alike.
template <typename AnyGraph>
std::vector<std::size_t> last_readers(const AnyGraph& graph) {
  std::vector<std::size_t> last(graph.values.size(), 0);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    for (auto id : graph.nodes[n].outputs) last.at(static_cast<std::size_t>(id)) = n;
    for (auto id : graph.nodes[n].inputs)
      if (id != kNoValue) last.at(static_cast<std::size_t>(id)) = n;
  }
  for (auto id : graph.outputs) last.at(static_cast<std::size_t>(id)) = graph.nodes.size();
  return last;
}

}  // namespace halftone::ir
