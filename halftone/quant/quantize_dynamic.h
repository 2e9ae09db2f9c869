// A network whose linear layers take integers with a range of their own every time: dynamic quantization.
#pragma once

#include "halftone/quant/parameters.h"
#include "halftone/quant/quantize.h"

namespace halftone::quant {

// Conv, Gemm and MatMul with integer weights become
//   q, s_x, z_x = DynamicQuantizeLinear(x),  y = float32(ConvInteger or MatMulInteger(q, q_w, z_x, z_w))·(s_x·s_w) + b,
// everything else stays float; weights of 8 bits or fewer, in int8. A layer with other weights keeps them as
// Dequantize(q_w). Source: ONNX operators DynamicQuantizeLinear, ConvInteger, MatMulInteger; docs/arithmetic.md
// section 7.
Quantized quantize_dynamic(const ir::Graph& graph, const Parameters& parameters,
                           const numeric::ArithmeticSpec& arithmetic);

}  // namespace halftone::quant
