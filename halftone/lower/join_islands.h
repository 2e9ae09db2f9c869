// Float nodes that feed one another become one island.
#pragma once

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::lower {

// Islands that one edge joins are one where no path leads from the first through integers into the second. Values that are
// read inside of an island alone are no longer the graph's.
qgraph::QuantizedGraph join_islands(qgraph::QuantizedGraph graph);

}  // namespace halftone::lower
