// Layers with weights as integer ops: Conv, ConvTranspose, Gemm and MatMul. docs/arithmetic.md sections 5 and 6.
#pragma once

#include <string>

#include "halftone/qgraph/lower_op.h"

namespace halftone::qgraph {

// Why the layer has no integer form, or an empty string.
std::string why_not_linear(const FusedOp& fused);

// The integer op. Throws InputError naming the layer.
Op lower_linear(const FusedOp& fused);

}  // namespace halftone::qgraph
