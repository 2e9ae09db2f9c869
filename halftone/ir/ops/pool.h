// Pooling over windows, and over the whole of space.
// One or two spatial dimensions for windows. Source: ONNX operators MaxPool, AveragePool, GlobalAveragePool,
// GlobalMaxPool.
#pragma once

#include "halftone/ir/ops/window.h"
#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// The largest element of each window; padding never wins. With indices a second output (int64): where in the
// flattened input the element stands, its planes row by row, or column by column with `column_major`.
struct MaxPool {
  static constexpr std::string_view kName = "MaxPool";
  Window window;
  bool with_indices = false;
  bool column_major = false;
  bool operator==(const MaxPool&) const = default;
};

// The mean of each window: over its elements inside the input, or, with count_include_pad, inside the padded
// input.
struct AveragePool {
  static constexpr std::string_view kName = "AveragePool";
  static constexpr bool kThroughFloat32 = true;
  Window window;
  bool count_include_pad = false;
  bool operator==(const AveragePool&) const = default;
};

struct GlobalAveragePool {
  static constexpr std::string_view kName = "GlobalAveragePool";
  static constexpr bool kThroughFloat32 = true;
  bool operator==(const GlobalAveragePool&) const = default;
};

struct GlobalMaxPool {
  static constexpr std::string_view kName = "GlobalMaxPool";
  static constexpr bool kThroughFloat32 = true;
  bool operator==(const GlobalMaxPool&) const = default;
};

constexpr Arity arity(const GlobalMaxPool&) { return {1, 1}; }
std::vector<TensorType> infer(const GlobalMaxPool& op, InputTypes inputs);
std::vector<Tensor> evaluate(const GlobalMaxPool& op, InputTensors inputs);

constexpr Arity arity(const MaxPool&) { return {1, 1}; }
constexpr Arity arity(const AveragePool&) { return {1, 1}; }
constexpr Arity arity(const GlobalAveragePool&) { return {1, 1}; }
std::vector<TensorType> infer(const MaxPool& op, InputTypes inputs);
std::vector<TensorType> infer(const AveragePool& op, InputTypes inputs);
std::vector<TensorType> infer(const GlobalAveragePool& op, InputTypes inputs);
std::vector<Tensor> evaluate(const MaxPool& op, InputTensors inputs);
std::vector<Tensor> evaluate(const AveragePool& op, InputTensors inputs);
std::vector<Tensor> evaluate(const GlobalAveragePool& op, InputTensors inputs);

// Elements of the window of output `o` that count in an average along one dimension.
std::int64_t window_count(const WindowAxis& axis, std::int64_t o, bool include_pad);

}  // namespace halftone::ir
