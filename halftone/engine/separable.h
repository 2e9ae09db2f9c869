// Whether samples of a batch can run one by one.
#pragma once

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::engine {

// Whether every value of a batch is its samples' values one after another. Islands are taken for
// networks that mix them, but those of functions of one variable and of Softmax along another dimension.
bool is_separable(const qgraph::QuantizedGraph& graph);

}  // namespace halftone::engine
