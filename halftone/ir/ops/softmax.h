// y_i = exp(x_i − max x)/Σ exp(x_j − max x) along one axis. Source: ONNX operator Softmax.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct Softmax {
  static constexpr std::string_view kName = "Softmax";
  std::int64_t axis = -1;
  bool to_end = false;  // opset < 13: over all dimensions from `axis` on, together
  bool operator==(const Softmax&) const = default;
};

constexpr Arity arity(const Softmax&) { return {1, 1}; }
std::vector<TensorType> infer(const Softmax& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Softmax& op, InputTensors inputs);

}  // namespace halftone::ir
