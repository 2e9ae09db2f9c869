// Which values of a float graph get a Quantize/Dequantize pair, and which share one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/lower/integer_form.h"

namespace halftone::quant {

using lower::Role;

struct Plan {
  std::vector<Role> role;  // by node
  std::vector<qgraph::FloatReason> reason;  // by node: why it stays float
  std::vector<bool> quantized;  // by value: it gets a pair
  std::vector<ir::ValueId> scale_class;  // by value: one member of the set of values that share its scale
};

// `kept`: by node, whether a rule keeps it float (keeps_float in assignment.h); empty: none. So does then stay what only moves
// elements from the network's inputs to such nodes, or behind them. The values that get a pair are some of those without rules.
Plan plan(const ir::Graph& graph, const std::vector<bool>& kept = {});

// The graph with every value that quantization needs the range of as an output, and no other.
ir::Graph observed(const ir::Graph& graph);

}  // namespace halftone::quant
