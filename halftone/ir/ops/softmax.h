// Scores along one axis. Source: ONNX operators Softmax, LogSoftmax, Hardmax, ArgMax.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// The dimension scored; before operator set 13 (`to_end`) all dimensions from it on, together.
struct ScoredAxis {
  std::int64_t axis = -1;
  bool to_end = false;
  bool operator==(const ScoredAxis&) const = default;
};

// y_i = exp(x_i − max x)/Σ exp(x_j − max x).
struct Softmax : ScoredAxis {
  static constexpr std::string_view kName = "Softmax";
  static constexpr bool kThroughFloat32 = true;
};

// y_i = x_i − max x − ln Σ exp(x_j − max x).
struct LogSoftmax : ScoredAxis {
  static constexpr std::string_view kName = "LogSoftmax";
  static constexpr bool kThroughFloat32 = true;
};

// 1 for the first of the largest elements, 0 for the others.
struct Hardmax : ScoredAxis {
  static constexpr std::string_view kName = "Hardmax";
  static constexpr bool kThroughFloat32 = true;
};

// The place (int64) of the largest element: the first of them, or the last.
struct ArgMax {
  static constexpr std::string_view kName = "ArgMax";
  std::int64_t axis = 0;
  bool keepdims = true;
  bool select_last = false;
  bool operator==(const ArgMax&) const = default;
};

template <typename Op>
concept Scoring = std::derived_from<Op, ScoredAxis>;

template <Scoring Op>
constexpr Arity arity(const Op&) {
  return {1, 1};
}
template <Scoring Op>
std::vector<TensorType> infer(const Op& op, InputTypes inputs) {
  normalize_axis(op.axis, inputs[0]->shape.size(), Op::kName);
  return {{DType::float32, inputs[0]->shape}};
}
std::vector<Tensor> evaluate(const Softmax& op, InputTensors inputs);
std::vector<Tensor> evaluate(const LogSoftmax& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Hardmax& op, InputTensors inputs);

constexpr Arity arity(const ArgMax&) { return {1, 1}; }
std::vector<TensorType> infer(const ArgMax& op, InputTypes inputs);
std::vector<Tensor> evaluate(const ArgMax& op, InputTensors inputs);

}  // namespace halftone::ir
