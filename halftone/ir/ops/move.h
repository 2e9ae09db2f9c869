// Ops that put elements in other places and change none.
// Source: ONNX operators Transpose, Concat, Squeeze, Unsqueeze.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// y[i0 … in] = x with dimension d of y being dimension permutation[d] of x; empty reverses them.
struct Transpose {
  static constexpr std::string_view kName = "Transpose";
  std::vector<std::int64_t> permutation;
  bool operator==(const Transpose&) const = default;
};

// The inputs one after another along an axis.
struct Concat {
  static constexpr std::string_view kName = "Concat";
  std::int64_t axis = 0;
  bool operator==(const Concat&) const = default;
};

// Without the dimensions of size 1 at `axes` (empty: all of them).
struct Squeeze {
  static constexpr std::string_view kName = "Squeeze";
  std::vector<std::int64_t> axes;
  bool operator==(const Squeeze&) const = default;
};

// With dimensions of size 1 at `axes` of the result.
struct Unsqueeze {
  static constexpr std::string_view kName = "Unsqueeze";
  std::vector<std::int64_t> axes;
  bool operator==(const Unsqueeze&) const = default;
};

constexpr Arity arity(const Transpose&) { return {1, 1}; }
constexpr Arity arity(const Concat&) { return {1, kAnyNumber}; }
constexpr Arity arity(const Squeeze&) { return {1, 1}; }
constexpr Arity arity(const Unsqueeze&) { return {1, 1}; }
std::vector<TensorType> infer(const Transpose& op, InputTypes inputs);
std::vector<TensorType> infer(const Concat& op, InputTypes inputs);
std::vector<TensorType> infer(const Squeeze& op, InputTypes inputs);
std::vector<TensorType> infer(const Unsqueeze& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Transpose& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Concat& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Squeeze& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Unsqueeze& op, InputTensors inputs);

}  // namespace halftone::ir
