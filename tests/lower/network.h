// Small networks of Gemms to lower, and their judge.
#pragma once

#include <gmock/gmock.h>

#include "tests/lower/qdq.h"

namespace halftone::qgraph {

inline constexpr Grid kHalf{0.5F, 0, DType::int8};
inline constexpr Grid kQuarter{0.25F, 3, DType::int8};

struct Network : Qdq {
  using Qdq::Qdq;
  ir::ValueId gemm_weights(const std::string& name) {
    return weights(int8s({2, 2}, {1, -2, 3, 4}), {0.5F}, {0}, 0, name);
  }
  ir::ValueId gemm(ir::ValueId x, const std::string& name) {
    return node(ir::Gemm{.trans_b = true}, {x, gemm_weights(name + "_w")}, name);
  }
  ir::ValueId start(const Grid& grid = kHalf, Shape shape = {kDynamic, 2}) {
    return pair(input(std::move(shape)), grid, "q");
  }
};

inline std::string reason_of(const QuantizedGraph& graph) {
  const Node* node = find_node<Island>(graph);
  return node == nullptr ? "no island" : std::get<Island>(node->op).reasons.at(0).text;
}

// The integers and the simulation agree on exact inputs (all scales are powers of two).
inline void expect_like_simulation(const ir::Graph& graph, const QuantizedGraph& quantized) {
  std::vector<Tensor> inputs;
  for (ir::ValueId id : graph.inputs) {
    Shape shape = graph.value(id).shape;
    for (std::int64_t& dim : shape) dim = dim == kDynamic ? 3 : dim;
    const Tensor real = ir::random_floats(shape, inputs.size() + 3);
    inputs.push_back(real.cast(graph.value(id).dtype));
  }
  const auto a = Interpreter(quantized).run(inputs);
  const auto b = ir::Interpreter(graph).run(inputs);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i] == b[i]) << i;
}

}  // namespace halftone::qgraph
