// Quantized and dequantized at once, for any number of bits:
//   y = s·(clamp(round(x/s + z), qmin, qmax) − z)
// Inputs: x, s, z, bits: float32, the last three one number or broadcast to x. Source: QONNX, operator Quant
// (github.com/fastmachinelearning/qonnx, docs/qonnx-custom-ops/quant_op.md).
#pragma once

#include "halftone/ir/tensor_type.h"
#include "halftone/numeric/format.h"
#include "halftone/numeric/rounding.h"

namespace halftone::ir {

struct Quant {
  static constexpr std::string_view kName = "Quant";
  static constexpr std::string_view kDomain = "qonnx.custom_op.general";
  bool is_signed = true;
  bool narrow = false;
  numeric::Rounding rounding = numeric::Rounding::half_even;
  bool operator==(const Quant&) const = default;
};

constexpr Arity arity(const Quant&) { return {4, 4}; }
std::vector<TensorType> infer(const Quant& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Quant& op, InputTensors inputs);

// The format that the constant `bits` asks for: 1 to 32 bits. Throws InputError.
struct QuantRange {
  int bits = 8;
  double qmin = 0.0;
  double qmax = 0.0;
};
QuantRange quant_range(const Quant& op, const Tensor& bits);

}  // namespace halftone::ir
