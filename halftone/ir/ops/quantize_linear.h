// The two ends of a quantized value: q = saturate(round(x/s) + z) and x̂ = s·(q − z), float32, per tensor,
// index of an axis, or block of `block_size` along it. Source: ONNX operators QuantizeLinear,
// DequantizeLinear; docs/arithmetic.md sections 2 and 3.
#pragma once

#include "halftone/ir/tensor_type.h"
#include "halftone/numeric/quant_params.h"

namespace halftone::ir {

// Inputs: x, scale, zero_point (absent: 0). Output type is the zero point's, else `to`. Fewer bits than that type
// has, and another rounding than half_even, are ours: onnx_io/quantizers.h says how files hold them.
struct QuantizeLinear {
  static constexpr std::string_view kName = "QuantizeLinear";
  std::int64_t axis = 1;
  std::int64_t block_size = 0;
  DType to = DType::uint8;
  int bits = 0;  // of the integers; 0: all of the type
  numeric::Rounding rounding = numeric::Rounding::half_even;
  bool operator==(const QuantizeLinear&) const = default;
};

// Inputs: q, scale, zero_point (absent: 0). int32 has zero point 0. Output type is the scale's.
struct DequantizeLinear {
  static constexpr std::string_view kName = "DequantizeLinear";
  std::int64_t axis = 1;
  std::int64_t block_size = 0;
  bool operator==(const DequantizeLinear&) const = default;
};

constexpr Arity arity(const QuantizeLinear&) { return {2, 3}; }
constexpr Arity arity(const DequantizeLinear&) { return {2, 3}; }
std::vector<TensorType> infer(const QuantizeLinear& op, InputTypes inputs);
std::vector<TensorType> infer(const DequantizeLinear& op, InputTypes inputs);
std::vector<Tensor> evaluate(const QuantizeLinear& op, InputTensors inputs);
std::vector<Tensor> evaluate(const DequantizeLinear& op, InputTensors inputs);

// To integers of a format, which their type (numeric::storage_dtype) may have more bits than.
QuantizeLinear quantizer(const numeric::IntegerFormat& format, numeric::Rounding rounding);

// The parameters that constant scale and zero-point tensors say for integers of type `dtype` and shape `x`.
// Throws InputError when a scale is not a normal float32 > 0 or sizes do not match.
numeric::QuantParams linear_params(const QuantizeLinear& op, const Tensor& scale, const Tensor* zero_point,
                                   DType dtype, const Shape& x, std::string_view where);

// The same of what a DequantizeLinear reads, whose scales may also be by block: of weights [M, C, k…] along C, all taps of
// a block having one scale, or of [C, M] along C. Groups are then docs/arithmetic.md's, of block_size·Πk elements of a
// row. Throws UnsupportedError for other blocks.
numeric::QuantParams linear_params(const DequantizeLinear& op, const Tensor& scale, const Tensor* zero_point,
                                   DType dtype, const Shape& x, std::string_view where);

}  // namespace halftone::ir
