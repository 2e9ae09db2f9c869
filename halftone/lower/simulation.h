// The float network that the integers of a file are compared with. docs/arithmetic.md section 8.
#pragma once

#include "halftone/ir/graph.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::lower {

// `file`, of which `lower` made `integers`, with the float biases of integer layers as the integers add them
// (integers.rounded_biases). A file whose biases are integers, as our own are, stays as it is.
ir::Graph simulation(ir::Graph file, const qgraph::QuantizedGraph& integers);

}  // namespace halftone::lower
