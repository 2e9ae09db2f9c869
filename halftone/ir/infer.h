// Shape inference over a graph, and the check that it is well formed.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::ir {

// Types of a node's outputs from what the graph knows of its inputs. Throws InputError naming the node.
std::vector<TensorType> infer_node(const Graph& graph, const Node& node);

// Recomputes the type of every value that a node computes, front to back.
void infer_shapes(Graph& graph);

// Throws InputError unless names are unique, every value has one producer that stands before its readers,
// nodes have the number of inputs their op asks for, and types agree with the ops' shape rules.
void check(const Graph& graph);

}  // namespace halftone::ir
