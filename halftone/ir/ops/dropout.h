// Dropout at inference: y = x, and a mask (bool) of true. Without the mask it is imported as Identity.
// Source: ONNX operator Dropout.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct Dropout {
  static constexpr std::string_view kName = "Dropout";
  bool operator==(const Dropout&) const = default;
};

constexpr Arity arity(const Dropout&) { return {1, 1}; }
inline std::vector<TensorType> infer(const Dropout&, InputTypes inputs) {
  return {{inputs[0]->dtype, inputs[0]->shape}, {DType::boolean, inputs[0]->shape}};
}
inline std::vector<Tensor> evaluate(const Dropout&, InputTensors inputs) {
  Tensor mask(DType::boolean, inputs[0]->shape());
  for (bool& element : mask.mutable_data<bool>()) element = true;
  return {*inputs[0], mask};
}

}  // namespace halftone::ir
