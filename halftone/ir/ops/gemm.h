// Y = alpha·A'·B' + beta·C, A' [N, K], B' [K, M], C broadcast to [N, M] (absent: 0). Source: ONNX operator
// Gemm.
#pragma once

#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct Gemm {
  static constexpr std::string_view kName = "Gemm";
  static constexpr bool kThroughFloat32 = true;
  float alpha = 1.0F;
  float beta = 1.0F;
  bool trans_a = false;
  bool trans_b = false;
  bool operator==(const Gemm&) const = default;
};

constexpr Arity arity(const Gemm&) { return {2, 3}; }
std::vector<TensorType> infer(const Gemm& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Gemm& op, InputTensors inputs);

// Whether C of this shape adds one number to every output channel: [M] or [1, M].
bool is_channel_bias(const Shape& c, std::int64_t channels);

// y[n][m] = Σ_k a[n][k]·b[k][m] in double, k ascending; row-major.
void multiply(const double* a, const double* b, double* y, std::int64_t n, std::int64_t k, std::int64_t m);

}  // namespace halftone::ir
