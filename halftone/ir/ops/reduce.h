// The mean, sum, largest or smallest element over some dimensions.
// Source: ONNX operators ReduceMean, ReduceSum, ReduceMax, ReduceMin.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// Which dimensions go: `axes`, or all of them when there are none (unless noop_with_empty_axes); kept as 1
// with keepdims.
struct ReducedAxes {
  std::vector<std::int64_t> axes;
  bool keepdims = true;
  bool noop_with_empty_axes = false;
  bool operator==(const ReducedAxes&) const = default;
};

// clang-format off
struct ReduceMean { static constexpr std::string_view kName = "ReduceMean"; ReducedAxes over; bool operator==(const ReduceMean&) const = default; };
struct ReduceSum  { static constexpr std::string_view kName = "ReduceSum";  ReducedAxes over; bool operator==(const ReduceSum&) const = default; };
struct ReduceMax  { static constexpr std::string_view kName = "ReduceMax";  ReducedAxes over; bool operator==(const ReduceMax&) const = default; };
struct ReduceMin  { static constexpr std::string_view kName = "ReduceMin";  ReducedAxes over; bool operator==(const ReduceMin&) const = default; };
// clang-format on

template <typename Op>
concept Reduction = requires(const Op& op) {
  { op.over } -> std::convertible_to<ReducedAxes>;
};

template <Reduction Op>
constexpr Arity arity(const Op&) {
  return {1, 1};
}
std::vector<TensorType> infer(const ReduceMean& op, InputTypes inputs);
std::vector<TensorType> infer(const ReduceSum& op, InputTypes inputs);
std::vector<TensorType> infer(const ReduceMax& op, InputTypes inputs);
std::vector<TensorType> infer(const ReduceMin& op, InputTypes inputs);
std::vector<Tensor> evaluate(const ReduceMean& op, InputTensors inputs);
std::vector<Tensor> evaluate(const ReduceSum& op, InputTensors inputs);
std::vector<Tensor> evaluate(const ReduceMax& op, InputTensors inputs);
std::vector<Tensor> evaluate(const ReduceMin& op, InputTensors inputs);

}  // namespace halftone::ir
