// Puts Quantize/Dequantize pairs into a float graph: the network as it will be in integers, still a float
// graph. docs/arithmetic.md section 8. `qgraph::lower` alone makes integers of it.
#pragma once

#include <string>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/quant/parameters.h"

namespace halftone::quant {

struct Quantized {
  ir::Graph graph;
  std::vector<std::string> notes;  // what a user should know: weight scales raised for a bias
};

// Weights become integers with a Dequantize, biases int32 at s_x·s_w, activations pairs at the input and the
// output of everything that has an integer form; a ReLU or Clip after a sum shares its pair, and ops that only
// move elements share their input's scale. Ops without an integer form stay float.
Quantized quantize(const ir::Graph& graph, const Parameters& parameters,
                   const numeric::ArithmeticSpec& arithmetic);

// The same with weights rounded to nearest: choose_parameters first.
Quantized quantize(const ir::Graph& graph, const RangeTable& ranges, const Recipe& recipe);

// Nodes that quantize leaves in float, each with the reason: the pre-flight check.
struct FloatNode {
  std::string node;
  qgraph::FloatReason reason;
  std::size_t index = 0;  // among the graph's nodes
};
std::vector<FloatNode> float_nodes(const ir::Graph& graph, const Plan& plan);
std::vector<FloatNode> float_nodes(const ir::Graph& graph);  // by its plan without rules

}  // namespace halftone::quant
