// Entries of a testbench's manifest besides arrays.
#pragma once

#include <string>

#include "cli/testbench_files.h"
#include "halftone/ir/graph.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::cli {

// Names in the network, in the file and of what is written; the operator with its window, moves or table.
OrderedJson layer_json(const ir::Graph& file, const qgraph::QuantizedGraph& graph, const qgraph::Node& node, const TestbenchNames& names);

}  // namespace halftone::cli
