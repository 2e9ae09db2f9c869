// y[n][m][o] = b[m] + Σ_{c,t} x[n][g·C/G + c][o·stride − pad + t·dilation]·w[m][c][t], padding being 0.
// x [N, C, H, W] or [N, C, W], w [M, C/G, kh, kw] or [M, C/G, kw], b [M]. Source: ONNX operator Conv.
#pragma once

#include "halftone/ir/ops/window.h"
#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct Conv {
  static constexpr std::string_view kName = "Conv";
  static constexpr bool kThroughFloat32 = true;
  Window window;
  std::int64_t groups = 1;
  bool operator==(const Conv&) const = default;
};

constexpr Arity arity(const Conv&) { return {2, 3}; }
std::vector<TensorType> infer(const Conv& op, InputTypes inputs);
std::vector<Tensor> evaluate(const Conv& op, InputTensors inputs);

// The sums without bias, in double: exact for integers. x and w are float32.
std::vector<double> convolve(const Conv& op, const Tensor& x, const Tensor& w);
Shape conv_shape(const Conv& op, const Shape& x, const Shape& w);

// `window` with the kernel taken from the weights' shape where the attribute was left out.
Window kernel_window(const Conv& op, const Shape& weights);

}  // namespace halftone::ir
