// Y = A·B over the last two dimensions, the others broadcast, as numpy.matmul. Source: ONNX operator MatMul.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct MatMul {
  static constexpr std::string_view kName = "MatMul";
  bool operator==(const MatMul&) const = default;
};

constexpr Arity arity(const MatMul&) { return {2, 2}; }
std::vector<TensorType> infer(const MatMul& op, InputTypes inputs);
std::vector<Tensor> evaluate(const MatMul& op, InputTensors inputs);

}  // namespace halftone::ir
