// Layers with weights as integer ops: Conv, ConvTranspose, Gemm and MatMul. docs/arithmetic.md sections 5 and 6.
#pragma once

#include <optional>
#include <string>

#include "halftone/lower/fused_op.h"

namespace halftone::lower {

// Why the layer has no integer form for these integers, or an empty reason.
qgraph::FloatReason why_not_linear(const FusedOp& fused);

// The integer op. Throws InputError naming the layer.
qgraph::Op lower_linear(const FusedOp& fused);

// The layer's float bias as `op`, its integer form, adds it (`computed` is left to the caller); nothing when it has none,
// when the rounding changed none of its numbers, and for weights by group, whose biases stay float.
std::optional<qgraph::RoundedBias> rounded_bias(const FusedOp& fused, const qgraph::Op& op);

}  // namespace halftone::lower
