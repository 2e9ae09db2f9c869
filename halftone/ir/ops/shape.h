// Ops on shapes and ops that make tensors from them; on fixed shapes they are constants before anything runs.
// Source: ONNX operators Shape, Size, Range, ConstantOfShape.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// The dimensions [start, end) of the input, as int64.
struct ShapeOf {
  static constexpr std::string_view kName = "Shape";
  std::int64_t start = 0;
  std::int64_t end = INT64_MAX;
  bool operator==(const ShapeOf&) const = default;
};

// The number of elements, an int64 scalar.
struct Size {
  static constexpr std::string_view kName = "Size";
  bool operator==(const Size&) const = default;
};

// start + i·delta for i in [0, max(0, ⌈(limit − start)/delta⌉)); three scalars of one type, constant.
struct Range {
  static constexpr std::string_view kName = "Range";
  bool operator==(const Range&) const = default;
};

// `value` (one element) everywhere; the shape is a constant int64 input.
struct ConstantOfShape {
  static constexpr std::string_view kName = "ConstantOfShape";
  Tensor value = Tensor(DType::float32, {1});
  bool operator==(const ConstantOfShape&) const = default;
};

constexpr Arity arity(const ShapeOf&) { return {1, 1}; }
constexpr Arity arity(const Size&) { return {1, 1}; }
constexpr Arity arity(const Range&) { return {3, 3}; }
constexpr Arity arity(const ConstantOfShape&) { return {1, 1}; }
std::vector<TensorType> infer(const ShapeOf& op, InputTypes inputs);
std::vector<TensorType> infer(const Size& op, InputTypes inputs);
std::vector<TensorType> infer(const Range& op, InputTypes inputs);
std::vector<TensorType> infer(const ConstantOfShape& op, InputTypes inputs);
std::vector<Tensor> evaluate(const ShapeOf& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Size& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Range& op, InputTensors inputs);
std::vector<Tensor> evaluate(const ConstantOfShape& op, InputTensors inputs);

}  // namespace halftone::ir
