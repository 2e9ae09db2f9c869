// One run of a graph through torch: what training sees, for comparison with ir::Interpreter.
#pragma once

#include <span>
#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::qat {

// Outputs in the graph's order, float32, rounded as torch rounds. Throws UnsupportedError naming the first
// node that has no torch form, InputError when an input does not fit.
std::vector<Tensor> forward(const ir::Graph& graph, std::span<const Tensor> inputs);

}  // namespace halftone::qat
