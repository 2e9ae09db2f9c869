// Tensors and one-node graphs for tests.
#pragma once

#include <random>

#include "halftone/ir/infer.h"
#include "halftone/ir/interpreter.h"

namespace halftone::ir {

inline Tensor floats(Shape shape, const std::vector<float>& values) {
  return Tensor::from<float>(std::move(shape), values);
}
inline Tensor scalar_of(float value) { return floats({}, {value}); }

inline Tensor int64s(const std::vector<std::int64_t>& values) {
  return Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

template <typename T>
std::vector<T> values_of(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

// Multiples of 2^-8 in [-4, 4): sums of up to 2^10 products of them are exact in double, and so are their
// products in float32.
inline Tensor random_floats(Shape shape, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Tensor tensor(DType::float32, std::move(shape));
  for (float& x : tensor.mutable_data<float>())
    x = static_cast<float>(static_cast<int>(random() >> 53)) * 0x1p-8F - 4.0F;
  return tensor;
}

// A graph of one node; operands that are constants are given as tensors behind the computed ones.
struct OneNode {
  Graph graph;
  std::vector<ValueId> operands;

  OneNode& input(Shape shape, DType dtype = DType::float32) {
    operands.push_back(graph.add_input("in" + std::to_string(operands.size()), dtype, std::move(shape)));
    return *this;
  }
  OneNode& constant(Tensor tensor) {
    operands.push_back(graph.add_constant("constant" + std::to_string(operands.size()), std::move(tensor)));
    return *this;
  }
  OneNode& absent() {
    operands.push_back(kNoValue);
    return *this;
  }
  Graph with(Op op) {
    graph.outputs = {graph.add_node(std::move(op), operands, "y")};
    return graph;
  }
};

inline Tensor run(const Graph& graph, const std::vector<Tensor>& inputs) {
  return Interpreter(graph).run(inputs).at(0);
}

// The op on these tensors through a checked graph, all of them inputs.
inline Tensor apply_op(Op op, const std::vector<Tensor>& operands) {
  OneNode node;
  for (const Tensor& operand : operands) node.input(operand.shape(), operand.dtype());
  const Graph graph = node.with(std::move(op));
  check(graph);
  const Tensor y = run(graph, operands);
  if (y.shape() != graph.value(graph.outputs[0]).shape)
    throw std::logic_error("inferred and computed shapes differ");
  return y;
}

}  // namespace halftone::ir
