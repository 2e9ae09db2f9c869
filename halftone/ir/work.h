// The size and the work of a network: bytes of its constants, multiply-adds of one sample.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::ir {

// The graph with inputs of n samples where their first dimension is left open, and every shape that follows.
Graph with_batch(Graph graph, std::int64_t n);

// The first dimension of the inputs that fix it, where those agree and an output has a row for each; otherwise 1.
std::int64_t fixed_batch(std::span<const Shape> inputs, std::span<const Shape> outputs);
std::int64_t fixed_batch(const Graph& graph);

// The graph in its smallest run: with the batch that some input fixes, else of one sample; as it is declared where it cannot run
// so, as a network that joins two rows to one.
Graph in_smallest_run(const Graph& graph);

// One node with operands of these shapes; 0 for an op that does not multiply and add. A dimension that is left open counts as 1.
std::int64_t multiply_adds(const Op& op, const Shape& x, const Shape& w, const Shape& y);

// Every node, for one sample: the count of the smallest run divided by its samples.
std::vector<std::int64_t> multiply_adds(const Graph& graph);

// Bytes of a constant's elements, packed as its type is: two of 4 bits in one. And those of all.
std::int64_t packed_bytes(const Value& constant);
std::int64_t parameter_bytes(const Graph& graph);

}  // namespace halftone::ir
