// The constants of a graph with QuantizeLinear and DequantizeLinear nodes: scales, zero points, weights and biases.
#pragma once

#include <optional>

#include "halftone/ir/graph.h"
#include "halftone/numeric/quant_params.h"

namespace halftone::lower {

// Integers that a DequantizeLinear of a constant makes real.
struct ConstantOperand {
  Tensor q;
  numeric::QuantParams params;
};

// Scales and zero points of a QuantizeLinear or a DequantizeLinear. Throws UnsupportedError when they are computed.
numeric::QuantParams params_of(const ir::Graph& graph, const ir::Node& node);

// The constant that the DequantizeLinear `producer` makes real; nullopt for other nodes, none (nullptr) and computed integers.
std::optional<ConstantOperand> constant_operand(const ir::Graph& graph, const ir::Node* producer);

// Weights that a file quantizes at load time, or looks up in a table by their places, become constants.
void fold_integer_weights(ir::Graph& graph);

}  // namespace halftone::lower
