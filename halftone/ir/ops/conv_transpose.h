// The transpose of Conv: y[n][m][i·stride + t·dilation − pad] += x[n][c][i]·w[c][m][t], any number of spatial
// dimensions. x [N, C, …], w [C, M/G, k…], b [M]. Source: ONNX operator ConvTranspose; Dumoulin and Visin,
// arXiv:1603.07285, section 4.
#pragma once

#include "halftone/ir/ops/window.h"
#include "halftone/ir/tensor_type.h"

namespace halftone::ir {

struct ConvTranspose {
  static constexpr std::string_view kName = "ConvTranspose";
  static constexpr bool kThroughFloat32 = true;
  Window window;
  std::int64_t groups = 1;
  std::vector<std::int64_t> output_padding;  // added at the end of each dimension; empty: all 0
  std::vector<std::int64_t> output_shape;    // spatial; when given, pads follow from it
  bool operator==(const ConvTranspose&) const = default;
};

constexpr Arity arity(const ConvTranspose&) { return {2, 3}; }
std::vector<TensorType> infer(const ConvTranspose& op, InputTypes inputs);
std::vector<Tensor> evaluate(const ConvTranspose& op, InputTensors inputs);

// Its spatial dimensions with everything decided: `in` and `out` are x's and y's.
std::vector<WindowAxis> transpose_axes(const ConvTranspose& op, const Shape& x, const Shape& w);

}  // namespace halftone::ir
