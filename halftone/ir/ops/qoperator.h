// Ops of ONNX Runtime's domain com.microsoft on integers with scales: each input dequantized, the op in
// float, its result quantized. Source: onnxruntime/docs/ContribOperators.md; docs/arithmetic.md section 7,
// mode `onnx`.
#pragma once

#include "halftone/ir/ops/binary.h"
#include "halftone/ir/ops/gemm.h"
#include "halftone/ir/ops/move.h"
#include "halftone/ir/ops/pool.h"
#include "halftone/ir/ops/quantize_linear.h"
#include "halftone/ir/ops/unary.h"

namespace halftone::ir {

// Inputs: (x, scale, zero point) for every operand of Inner, then y's scale and zero point; QLinearConcat has
// those of y first.
template <typename Inner>
struct Quantized {
  static constexpr std::string_view kDomain = "com.microsoft";
  Inner op;
  bool operator==(const Quantized&) const = default;
};

// clang-format off
struct QLinearAdd               : Quantized<Add>               { static constexpr std::string_view kName = "QLinearAdd"; };
struct QLinearMul               : Quantized<Mul>               { static constexpr std::string_view kName = "QLinearMul"; };
struct QLinearAveragePool       : Quantized<AveragePool>       { static constexpr std::string_view kName = "QLinearAveragePool"; };
struct QLinearGlobalAveragePool : Quantized<GlobalAveragePool> { static constexpr std::string_view kName = "QLinearGlobalAveragePool"; };
struct QLinearConcat            : Quantized<Concat>            { static constexpr std::string_view kName = "QLinearConcat"; };
struct QLinearSigmoid           : Quantized<Sigmoid>           { static constexpr std::string_view kName = "QLinearSigmoid"; };
struct QLinearLeakyRelu         : Quantized<LeakyRelu>         { static constexpr std::string_view kName = "QLinearLeakyRelu"; };
// clang-format on

// y = requantize((a − za)·(b − zb) + c), c int32 at scale s_a·s_b, as QLinearConv does. Inputs: a, s_a, za,
// b, s_b, zb, c (optional), s_y, zy. `op` has transA and transB.
struct QGemm {
  static constexpr std::string_view kName = "QGemm";
  static constexpr std::string_view kDomain = "com.microsoft";
  Gemm op;
  bool operator==(const QGemm&) const = default;
};

// Where y's scale stands among the inputs, and the first operand.
struct QuantizedLayout {
  std::size_t y = 0;
  std::size_t first = 0;
};
template <typename Op>
QuantizedLayout layout_of(const Op&, std::size_t inputs) {
  if (std::is_same_v<Op, QLinearConcat>) return {0, 2};
  return {inputs - 2, 0};
}

template <typename Op>
concept QuantizedOp = requires(const Op& op) {
  []<typename Inner>(const Quantized<Inner>&) {}(op);
};

template <QuantizedOp Op>
constexpr Arity arity(const Op& op) {
  if (std::is_same_v<Op, QLinearConcat>) return {5, kAnyNumber};
  const int operands = arity(op.op).min;
  return {3 * operands + 2, 3 * operands + 2};
}

template <QuantizedOp Op>
std::vector<TensorType> infer(const Op& op, InputTypes inputs) {
  const QuantizedLayout layout = layout_of(op, inputs.size());
  if (inputs.size() % 3 != 2) throw InputError(Op::kName, "operands without a scale or zero point");
  std::vector<TensorType> real;
  for (std::size_t i = layout.first; i + 2 < inputs.size() + layout.first; i += 3)
    real.push_back(infer(DequantizeLinear{}, inputs.subspan(i, 3))[0]);
  std::vector<const TensorType*> operands;
  for (const TensorType& type : real) operands.push_back(&type);
  const TensorType y = infer(op.op, operands)[0];
  return {{inputs[layout.y + 1]->dtype, y.shape}};
}

template <QuantizedOp Op>
std::vector<Tensor> evaluate(const Op& op, InputTensors inputs) {
  const QuantizedLayout layout = layout_of(op, inputs.size());
  std::vector<Tensor> real;
  for (std::size_t i = layout.first; i + 2 < inputs.size() + layout.first; i += 3)
    real.push_back(evaluate(DequantizeLinear{}, inputs.subspan(i, 3))[0]);
  std::vector<const Tensor*> operands;
  for (const Tensor& tensor : real) operands.push_back(&tensor);
  const Tensor y = evaluate(op.op, operands)[0];
  const Tensor* quantized[] = {&y, inputs[layout.y], inputs[layout.y + 1]};
  return evaluate(QuantizeLinear{}, quantized);
}

constexpr Arity arity(const QGemm&) { return {6, 9}; }
std::vector<TensorType> infer(const QGemm& op, InputTypes inputs);
std::vector<Tensor> evaluate(const QGemm& op, InputTensors inputs);

}  // namespace halftone::ir
