// Puts Quantize/Dequantize pairs into a float graph: the network as it will be in integers, still a float
// graph. docs/arithmetic.md section 8. `qgraph::lower` alone makes integers of it.
#pragma once

#include <string>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/quant/ranges.h"
#include "halftone/quant/recipe.h"

namespace halftone::quant {

struct Quantized {
  ir::Graph graph;
  std::vector<std::string> notes;  // what a user should know: weight scales raised for a bias
};

// `graph` is a float graph after passes::simplify, `ranges` cover its values (by name). Weights become
// integers with a Dequantize, biases int32 at s_x·s_w, activations pairs at the input and the output of
// everything that has an integer form; a ReLU or Clip after a sum shares its pair, and ops that only move
// elements share their input's scale. Ops without an integer form stay float. Throws InputError for a range
// that is missing, UsageError for a recipe that does not fit.
Quantized quantize(const ir::Graph& graph, const RangeTable& ranges, const Recipe& recipe);

// Nodes that quantize leaves in float, each with the reason: the pre-flight check.
struct FloatNode {
  std::string node;
  std::string reason;
  std::size_t index = 0;  // among the graph's nodes
};
std::vector<FloatNode> float_nodes(const ir::Graph& graph);

}  // namespace halftone::quant
