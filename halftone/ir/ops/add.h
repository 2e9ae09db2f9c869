// y = a + b with NumPy broadcasting. Source: ONNX operator Add.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct Add {
  static constexpr std::string_view kName = "Add";
  bool operator==(const Add&) const = default;
};

constexpr Arity arity(const Add&) { return {2, 2}; }
std::vector<TensorType> infer(const Add& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Add& op, InputTensors inputs);

// The common shape of two operands: dimensions aligned at the end, 1 stretching. Throws InputError.
Shape broadcast_shape(const Shape& a, const Shape& b);
// For every element of `to`, in row-major order, the index of the element of `from` it reads.
std::vector<std::int64_t> broadcast_index(const Shape& from, const Shape& to);

}  // namespace halftone::ir
