// Networks whose parameters are fixed point of one format for all layers, everything else staying float.
// docs/arithmetic.md section 1.
#pragma once

#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/numeric/fixed_point.h"

namespace halftone::analysis {

// The nodes that are layers here: Conv, ConvTranspose, Gemm and MatMul with constant float32 weights.
std::vector<std::size_t> fixed_layers(const ir::Graph& graph);

// The float graph with the weights of every layer at q·2^−fl. Biases stay. Throws InputError naming a layer
// whose weights have no q, and for a graph without layers.
ir::Graph with_fixed_weights(ir::Graph graph, const numeric::FixedPoint& fixed, numeric::Overflow overflow);

// The float graph with the integers q themselves, not scaled back, for the weights of every layer and for its
// bias: what the student report 'Lab 6' evaluates. Saturates; errors as above.
ir::Graph with_unscaled_parameters(ir::Graph graph, const numeric::FixedPoint& fixed);

// The least word length from which on no parameter of a layer (weights and biases) saturates at this fraction
// length; may exceed 16.
int word_length_for(const ir::Graph& graph, int fraction_length);

}  // namespace halftone::analysis
