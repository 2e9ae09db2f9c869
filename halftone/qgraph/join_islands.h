// Float nodes that feed one another become one island.
#pragma once

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::qgraph {

// Islands that one edge joins are one where no path leads from the first through integers into the second. Values that are
// read inside of an island alone are no longer the graph's.
QuantizedGraph join_islands(QuantizedGraph graph);

}  // namespace halftone::qgraph
