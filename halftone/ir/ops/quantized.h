// Ops whose operands are integers already. Source: ONNX operators ConvInteger, MatMulInteger, QLinearConv,
// QLinearMatMul, DynamicQuantizeLinear; docs/arithmetic.md section 5, mode `onnx`.
#pragma once

#include "halftone/ir/ops/conv.h"
#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// y (int32) = Conv of x − zx and w − zw. Inputs: x, w, zx, zw (the last two optional; zw of one element or
// one an output channel).
struct ConvInteger {
  static constexpr std::string_view kName = "ConvInteger";
  Conv conv;
  bool operator==(const ConvInteger&) const = default;
};

// y (int32) = (A − za)·(B − zb). Inputs: A, B, za, zb (the last two optional).
struct MatMulInteger {
  static constexpr std::string_view kName = "MatMulInteger";
  bool operator==(const MatMulInteger&) const = default;
};

// y = clamp(half_even(float(acc)·M) + zy), acc the exact sum of (x − zx)·(w − zw) plus the int32 bias,
// M = s_x·s_w/s_y in float32. Inputs: x, s_x, zx, w, s_w, zw, s_y, zy, bias (optional).
struct QLinearConv {
  static constexpr std::string_view kName = "QLinearConv";
  Conv conv;
  bool operator==(const QLinearConv&) const = default;
};

// The same for a matrix product. Inputs: a, s_a, za, b, s_b, zb, s_y, zy.
struct QLinearMatMul {
  static constexpr std::string_view kName = "QLinearMatMul";
  bool operator==(const QLinearMatMul&) const = default;
};

// s = (max(x, 0) − min(x, 0))/255, z = clamp(half_even(−min/s)), y = clamp(half_even(x/s) + z), uint8.
// Outputs: y, s, z.
struct DynamicQuantizeLinear {
  static constexpr std::string_view kName = "DynamicQuantizeLinear";
  bool operator==(const DynamicQuantizeLinear&) const = default;
};

constexpr Arity arity(const ConvInteger&) { return {2, 4}; }
constexpr Arity arity(const MatMulInteger&) { return {2, 4}; }
constexpr Arity arity(const QLinearConv&) { return {8, 9}; }
constexpr Arity arity(const QLinearMatMul&) { return {8, 8}; }
constexpr Arity arity(const DynamicQuantizeLinear&) { return {1, 1}; }
std::vector<TensorType> infer(const ConvInteger& op, InputTypes inputs);
std::vector<TensorType> infer(const MatMulInteger& op, InputTypes inputs);
std::vector<TensorType> infer(const QLinearConv& op, InputTypes inputs);
std::vector<TensorType> infer(const QLinearMatMul& op, InputTypes inputs);
std::vector<TensorType> infer(const DynamicQuantizeLinear& op, InputTypes inputs);
std::vector<Tensor> evaluate(const ConvInteger& op, InputTensors inputs);
std::vector<Tensor> evaluate(const MatMulInteger& op, InputTensors inputs);
std::vector<Tensor> evaluate(const QLinearConv& op, InputTensors inputs);
std::vector<Tensor> evaluate(const QLinearMatMul& op, InputTensors inputs);
std::vector<Tensor> evaluate(const DynamicQuantizeLinear& op, InputTensors inputs);

}  // namespace halftone::ir
