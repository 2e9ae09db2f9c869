// Ops that take some elements of a tensor, by place. Source: ONNX operators Slice, Split, Gather.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// Elements starts[i], starts[i] + steps[i], … before ends[i] along axes[i], as NumPy's x[start:end:step].
struct Slice {
  static constexpr std::string_view kName = "Slice";
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  std::vector<std::int64_t> axes;   // as many; empty: 0, 1, …
  std::vector<std::int64_t> steps;  // as many, not 0; empty: 1
  bool operator==(const Slice&) const = default;
};

// Along one dimension: `count` elements from `start`, `step` apart.
struct Run {
  std::int64_t start = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;
  bool operator==(const Run&) const = default;
};

// The elements that a Slice takes along each dimension of x; a dimension that is not fixed is taken whole. Throws InputError and
// UnsupportedError as infer does.
std::vector<Run> runs_of(const Slice& op, const Shape& x);

// The parts of sizes `sizes` along an axis, one output each.
struct Split {
  static constexpr std::string_view kName = "Split";
  std::int64_t axis = 0;
  std::vector<std::int64_t> sizes;
  bool operator==(const Split&) const = default;
};

// y[… i … j …] = x[… indices[i] … j …]: slices of input 0 along an axis, at the places of input 1 (counted
// from the end when negative).
struct Gather {
  static constexpr std::string_view kName = "Gather";
  std::int64_t axis = 0;
  bool operator==(const Gather&) const = default;
};

constexpr Arity arity(const Slice&) { return {1, 1}; }
constexpr Arity arity(const Split&) { return {1, 1}; }
constexpr Arity arity(const Gather&) { return {2, 2}; }
std::vector<TensorType> infer(const Slice& op, InputTypes inputs);
std::vector<TensorType> infer(const Split& op, InputTypes inputs);
std::vector<TensorType> infer(const Gather& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Slice& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Split& op, InputTensors inputs);
std::vector<Tensor> evaluate(const Gather& op, InputTensors inputs);

}  // namespace halftone::ir
