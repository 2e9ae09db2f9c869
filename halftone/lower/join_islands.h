// Float nodes that feed one another become one island.
#pragma once

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::lower {

// Islands that one edge joins are one where both are of one level: a node's level is how often a path to it, at most, leaves
// an island for integers. So no path leads out of an island and back into it. Values that are read inside of an island alone
// are no longer the graph's.
qgraph::QuantizedGraph join_islands(qgraph::QuantizedGraph graph);

}  // namespace halftone::lower
