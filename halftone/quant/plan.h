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

Plan plan(const ir::Graph& graph);

// The graph with every value that quantization needs the range of as an output, and no other.
ir::Graph observed(const ir::Graph& graph);

}  // namespace halftone::quant
