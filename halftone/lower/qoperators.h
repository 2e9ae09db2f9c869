// Networks of operators on integers (QLinearConv, QLinearMatMul, QGemm, QLinearAdd, …) and networks of floats
// between Dequantize and Quantize are two ways to write the same. docs/arithmetic.md section 8.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::lower {

// Every operator on integers, and every QONNX Quant, as Dequantize → op → Quantize; integer values keep their
// names. A Clip that alone reads the integers of such an operator becomes one of its reals, between op and
// Quantize, at s·(bound − z): the same integers, as quantizing never reverses an order.
ir::Graph with_pairs(ir::Graph graph);

// Dequantize → op → [Relu, Clip] → Quantize as an operator on integers where there is one (those of ONNX, and
// of ONNX Runtime's domain com.microsoft); the others stay. A ReLU or Clip that the range of the result does
// not end by itself is a Clip of the operator's integers. Throws UnsupportedError naming the node for what
// such an operator cannot hold: formats other than 8 bits, weights whose zero points differ between channels.
ir::Graph with_integer_operators(const ir::Graph& graph);

// Quantize → Dequantize, and Dequantize of constants, as QONNX Quant nodes. Throws UnsupportedError naming
// the node for scales by block or computed ones.
ir::Graph with_quant_nodes(ir::Graph graph);

}  // namespace halftone::lower
