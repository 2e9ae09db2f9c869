// Y = A·B over the last two dimensions, the others broadcast, as numpy.matmul: a vector is a row on the left
// and a column on the right, and that dimension goes again. Source: ONNX operator MatMul.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct MatMul {
  static constexpr std::string_view kName = "MatMul";
  static constexpr bool kThroughFloat32 = true;
  bool operator==(const MatMul&) const = default;
};

constexpr Arity arity(const MatMul&) { return {2, 2}; }
std::vector<TensorType> infer(const MatMul& op, InputTypes inputs);
std::vector<Tensor> evaluate(const MatMul& op, InputTensors inputs);

Shape matmul_shape(const Shape& a, const Shape& b);
// The product in double, row-major: exact for integers. a and b are float32.
std::vector<double> matrix_product(const Tensor& a, const Tensor& b);

}  // namespace halftone::ir
