// Which nodes are computed in one primitive.
#pragma once

#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::float_engine {

// Nodes in the order of their numbers: one that computes, then those applied to its result before it is
// written.
using Group = std::vector<std::size_t>;

// Every node in one group, groups in an order that can be run. An activation joins the node before it, and
// the Add of a residual the convolution before it, when nothing else reads the value between them.
std::vector<Group> fuse(const ir::Graph& graph);
// Every node alone.
std::vector<Group> separate(const ir::Graph& graph);

}  // namespace halftone::float_engine
