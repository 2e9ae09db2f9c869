// y = x^e, element by element with NumPy broadcasting, in double and rounded to x's type (towards zero for
// integers). Source: ONNX operator Pow.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct Pow {
  static constexpr std::string_view kName = "Pow";
  bool operator==(const Pow&) const = default;
};

constexpr Arity arity(const Pow&) { return {2, 2}; }
std::vector<TensorType> infer(const Pow& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Pow& op, InputTensors inputs);

}  // namespace halftone::ir
