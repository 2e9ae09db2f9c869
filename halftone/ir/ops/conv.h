// y[n][m][o] = b[m] + Σ_{c,t} x[n][g·C/G + c][o·stride − pad + t·dilation]·w[m][c][t], padding being 0.
// x [N, C, H, W], w [M, C/G, kh, kw], b [M]. Source: ONNX operator Conv (two spatial dimensions).
#pragma once

#include "halftone/ir/ops/window.h"
#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct Conv {
  static constexpr std::string_view kName = "Conv";
  Window window;
  std::int64_t groups = 1;
  bool operator==(const Conv&) const = default;
};

constexpr Arity arity(const Conv&) { return {2, 3}; }
std::vector<TensorType> infer(const Conv& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Conv& op, InputTensors inputs);

// `window` with the kernel taken from the weights' shape where the attribute was left out.
Window kernel_window(const Conv& op, const Shape& weights);

}  // namespace halftone::ir
