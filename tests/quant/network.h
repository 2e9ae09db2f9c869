// Float networks to quantize.
#pragma once

#include "halftone/quant/quantize.h"
#include "tests/ir/tensors.h"
#include "tests/quant/ranges.h"

namespace halftone::quant {

// Conv, ReLU, MaxPool, Flatten, Gemm: x [N, 1, 4, 4] to scores [N, 3].
inline ir::Graph conv_network() {
  using namespace ir;
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 1, 4, 4});
  const ValueId conv = g.add_node(
      Conv{{.pads = {1, 1, 1, 1}}},
      {x, g.add_constant("w", random_floats({2, 1, 3, 3}, 1)), g.add_constant("b", random_floats({2}, 2))},
      "conv");
  const ValueId relu = g.add_node(Relu{}, {conv}, "relu");
  const ValueId pool = g.add_node(MaxPool{{.kernel = {2, 2}, .strides = {2, 2}}}, {relu}, "pool");
  const ValueId flat = g.add_node(Flatten{}, {pool}, "flat");
  g.outputs = {g.add_node(
      Gemm{},
      {flat, g.add_constant("v", random_floats({8, 3}, 3)), g.add_constant("c", random_floats({3}, 4))},
      "scores")};
  g.metadata = {{"halftone.preprocessing", "mnist"}};
  return g;
}

inline RangeTable ranges_of(const ir::Graph& graph, std::int64_t rows = 50) {
  Shape shape = graph.value(graph.inputs[0]).shape;
  shape[0] = rows;
  return ranges_on(graph, ir::random_floats(shape, 9));
}

// The node that computes this value, or nullptr.
inline const ir::Node* node_of(const ir::Graph& graph, std::string_view value) {
  for (const ir::Node& node : graph.nodes)
    if (graph.value(node.outputs[0]).name == value) return &node;
  return nullptr;
}

inline const Tensor& constant_of(const ir::Graph& graph, std::string_view value) {
  return *graph.constant(graph.find(value).value());
}

// Scale and zero point of the pair around an activation.
inline numeric::Affine grid_of(const ir::Graph& graph, const std::string& value) {
  return {constant_of(graph, value + "_scale").data<float>()[0],
          numeric::to_int32(constant_of(graph, value + "_zero_point"))[0]};
}

}  // namespace halftone::quant
