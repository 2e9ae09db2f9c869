// Whether the weights of a network are numbers that layers can compute with.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::ir {

// Throws InputError naming the constant, its reader and the element for infinity or NaN in the weights and biases of
// linear layers and the factors of normalizations, also where nodes move, convert or quantize them before they are
// read; and for a negative variance. Other constants may be infinite: masks, bounds, the padding of a pooling.
void check_finite_weights(const Graph& graph);

}  // namespace halftone::ir
