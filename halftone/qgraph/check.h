// Whether a network in integers is well formed.
#pragma once

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::qgraph {

// Throws InputError naming the node unless names are unique, every value has one producer that stands before its readers,
// nodes have as many inputs and outputs as their op asks for, kernels work on integers with a scale, and what an op holds
// agrees: a bias, a bound and a multiplier for each channel, an entry of a table for each integer, a window count for each
// requantization, axes of a move that name each dimension of its view once.
void check(const QuantizedGraph& graph);

}  // namespace halftone::qgraph
