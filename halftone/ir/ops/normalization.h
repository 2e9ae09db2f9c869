// Normalizations whose statistics come from the input itself.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

// y = scale·(x − mean)/√(var + ε) + bias with the statistics of every sample and channel over space.
// Inputs: x [N, C, space…], scale [C], bias [C]. Source: ONNX operator InstanceNormalization.
struct InstanceNormalization {
  static constexpr std::string_view kName = "InstanceNormalization";
  static constexpr bool kThroughFloat32 = true;
  float epsilon = 1e-5F;
  bool operator==(const InstanceNormalization&) const = default;
};

// The same with the statistics over dimensions `axis` to the last; scale and bias (optional) broadcast to
// x. Outputs: y, and when asked for mean and 1/√(var + ε). Source: ONNX operator LayerNormalization.
struct LayerNormalization {
  static constexpr std::string_view kName = "LayerNormalization";
  static constexpr bool kThroughFloat32 = true;
  std::int64_t axis = -1;
  float epsilon = 1e-5F;
  int outputs = 1;
  bool operator==(const LayerNormalization&) const = default;
};

// y = scale·x/√(mean(x²) + ε) over dimensions `axis` to the last. Source: ONNX operator RMSNormalization.
struct RMSNormalization {
  static constexpr std::string_view kName = "RMSNormalization";
  static constexpr bool kThroughFloat32 = true;
  std::int64_t axis = -1;
  float epsilon = 1e-5F;
  bool operator==(const RMSNormalization&) const = default;
};

// y = x/(bias + alpha/size·Σ x²)^beta, the sum over the `size` channels around each: ⌊(size−1)/2⌋ before,
// ⌈(size−1)/2⌉ after. Source: ONNX operator LRN; Krizhevsky et al., NIPS 2012, section 3.3.
struct LRN {
  static constexpr std::string_view kName = "LRN";
  static constexpr bool kThroughFloat32 = true;
  std::int64_t size = 1;
  float alpha = 1e-4F;
  float beta = 0.75F;
  float bias = 1.0F;
  bool operator==(const LRN&) const = default;
};

constexpr Arity arity(const InstanceNormalization&) { return {3, 3}; }
constexpr Arity arity(const LayerNormalization&) { return {2, 3}; }
constexpr Arity arity(const RMSNormalization&) { return {2, 2}; }
constexpr Arity arity(const LRN&) { return {1, 1}; }
std::vector<TensorType> infer(const InstanceNormalization& op, InputTypes inputs);
std::vector<TensorType> infer(const LayerNormalization& op, InputTypes inputs);
std::vector<TensorType> infer(const RMSNormalization& op, InputTypes inputs);
std::vector<TensorType> infer(const LRN& op, InputTypes inputs);
std::vector<Tensor> evaluate(const InstanceNormalization& op, InputTensors inputs);
std::vector<Tensor> evaluate(const LayerNormalization& op, InputTensors inputs);
std::vector<Tensor> evaluate(const RMSNormalization& op, InputTensors inputs);
std::vector<Tensor> evaluate(const LRN& op, InputTensors inputs);

}  // namespace halftone::ir
