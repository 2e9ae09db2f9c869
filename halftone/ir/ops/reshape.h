// Ops that only rename the elements' places: the same values in the same order under another shape.
// Source: ONNX operators Identity, Flatten, Reshape.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct Identity {
  static constexpr std::string_view kName = "Identity";
  bool operator==(const Identity&) const = default;
};

// [d0 … d(axis−1), d(axis) …] to a matrix.
struct Flatten {
  static constexpr std::string_view kName = "Flatten";
  std::int64_t axis = 1;
  bool operator==(const Flatten&) const = default;
};

// Input 1 is a constant int64 shape: 0 copies the input's dimension (unless allow_zero), one −1 takes the
// rest.
struct Reshape {
  static constexpr std::string_view kName = "Reshape";
  bool allow_zero = false;
  bool operator==(const Reshape&) const = default;
};

constexpr Arity arity(const Identity&) { return {1, 1}; }
constexpr Arity arity(const Flatten&) { return {1, 1}; }
constexpr Arity arity(const Reshape&) { return {2, 2}; }
std::vector<TensorType> infer(const Identity& op, InputTypes inputs);
std::vector<TensorType> infer(const Flatten& op, InputTypes inputs);
std::vector<TensorType> infer(const Reshape& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Identity& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Flatten& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Reshape& op, InputTensors inputs);

}  // namespace halftone::ir
