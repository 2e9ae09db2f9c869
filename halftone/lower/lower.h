// The one road from a float graph with Quantize/Dequantize pairs to integers. docs/arithmetic.md section 8.
#pragma once

#include "halftone/ir/graph.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::lower {

// Fuses `Dequantize → op → [Relu, Clip] → Quantize` into integer nodes in the arithmetic the graph's metadata
// names. What cannot fuse stays a float island with its reason. Integer values keep the names of the Quantize
// outputs, so that the simulation and the interpreter can be compared by name. Throws InputError when
// integers break a rule of the arithmetic (a sum beyond 2^47, scales that are no powers of two in mode shift,
// a bias whose scale is not s_x·s_w), naming the layer.
qgraph::QuantizedGraph lower(const ir::Graph& graph);

// Whether any node takes or gives integers that stand for reals: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear,
// QONNX Quant, ConvInteger, MatMulInteger, or an operator of ONNX Runtime's QOperator format (QLinearConv, QGemm, …).
bool is_quantized(const ir::Graph& graph);

}  // namespace halftone::lower
