// The constants of a network's linear layers, as they stand in its file: for those who go on elsewhere.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::lower {

// One Conv, ConvTranspose, Gemm or MatMul with constant weights, or a ConvInteger or MatMulInteger whose sums a Mul makes
// real. In real numbers
//   w = weight_scale·(weight − weight_zero_point),  b = bias_scale·bias,
// scales and zero points being one number, or one for each index of `weight_axis` (of the weights) and of the
// bias, or of the weights' shape with weight_axis cut into blocks.
struct LayerArrays {
  std::string name;
  std::string_view op;
  Tensor weight;  // integers, or float32 where they stay float; shape as in the file
  std::optional<Tensor> weight_scale;
  std::optional<Tensor> weight_zero_point;  // of the weights' type
  std::int64_t weight_axis = 0;
  std::int64_t weight_block = 0;  // so many indices of weight_axis share a scale; 0: one or each
  std::optional<Tensor> bias;  // integers with a scale, or float32 without
  std::optional<Tensor> bias_scale;
  std::optional<numeric::Grid> input;  // where the layer is computed in integers
  std::optional<numeric::Grid> output;
};

// The layers of `graph` in its order; `integers` is what `lower` made of it, nullptr for a float graph. Throws
// InputError when there is no such layer.
std::vector<LayerArrays> layer_arrays(const ir::Graph& graph, const qgraph::QuantizedGraph* integers);

}  // namespace halftone::lower
