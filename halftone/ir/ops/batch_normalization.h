// y = scale·(x − mean)/√(var + ε) + bias, per channel (dimension 1), with stored statistics; when
// training, with those of x, and the stored ones moved towards them are outputs 1 and 2:
// momentum·stored + (1 − momentum)·x's. Source: ONNX operator BatchNormalization; Ioffe and Szegedy, ICML
// 2015.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// Inputs: x, scale, bias, mean, var (the last four of shape [C]).
struct BatchNormalization {
  static constexpr std::string_view kName = "BatchNormalization";
  static constexpr bool kThroughFloat32 = true;
  float epsilon = 1e-5F;
  float momentum = 0.9F;
  bool training = false;
  bool operator==(const BatchNormalization&) const = default;
};

constexpr Arity arity(const BatchNormalization&) { return {5, 5}; }
std::vector<TensorType> infer(const BatchNormalization& op, InputTypes inputs);
std::vector<Tensor> evaluate(const BatchNormalization& op, InputTensors inputs);

}  // namespace halftone::ir
