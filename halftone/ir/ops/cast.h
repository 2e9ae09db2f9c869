// Elements converted to another type. Source: ONNX operator Cast.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// Floats to integers: towards zero; what does not fit saturates and NaN becomes 0 (the operator leaves both
// open). Integers to narrower ones, and floats to 2 or 4 bits: the low bits. To bool: whether it is not 0.
struct Cast {
  static constexpr std::string_view kName = "Cast";
  DType to = DType::float32;
  bool operator==(const Cast&) const = default;
};

constexpr Arity arity(const Cast&) { return {1, 1}; }
std::vector<TensorType> infer(const Cast& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Cast& op, InputTensors inputs);

}  // namespace halftone::ir
