// A small quantized network with every kind of layer, and samples for it.
#pragma once

#include "halftone/data/dataset.h"
#include "halftone/data/preprocessing.h"
#include "halftone/ir/interpreter.h"
#include "halftone/passes/pass.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/lower/lower.h"
#include "halftone/quant/quantize.h"
#include "tests/ir/tensors.h"
#include "tests/quant/ranges.h"

namespace halftone::analysis {

inline data::Dataset samples(std::int64_t count, Shape row) {
  row.insert(row.begin(), count);
  data::Dataset dataset{.name = "random", .images = ir::random_floats(row, 11), .labels = {}, .classes = 3};
  for (std::int64_t i = 0; i < count; ++i) dataset.labels.push_back(static_cast<std::int32_t>(i % 3));
  return dataset;
}

// Conv and ReLU, Conv, Add, MaxPool, Tanh, AveragePool, Flatten, Gemm: 1x6x6 to 3 scores.
inline ir::Graph float_network() {
  using namespace ir;
  const auto small = [](Shape shape, std::uint64_t seed) {
    Tensor tensor = random_floats(std::move(shape), seed);
    for (float& v : tensor.mutable_data<float>()) v *= 0.13F;
    return tensor;
  };
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 1, 6, 6});
  const Window same{.pads = {1, 1, 1, 1}};
  const ValueId a = g.add_node(
      Conv{same}, {x, g.add_constant("w1", small({4, 1, 3, 3}, 1)), g.add_constant("b1", small({4}, 2))},
      "conv1");
  const ValueId r = g.add_node(Relu{}, {a}, "relu1");
  const ValueId b = g.add_node(
      Conv{same}, {r, g.add_constant("w2", small({4, 4, 3, 3}, 3)), g.add_constant("b2", small({4}, 4))},
      "conv2");
  const ValueId sum = g.add_node(Add{}, {r, b}, "sum");
  const ValueId pool = g.add_node(MaxPool{{.kernel = {2, 2}, .strides = {1, 1}}}, {sum}, "pool");
  const ValueId tanh = g.add_node(Tanh{}, {pool}, "tanh");
  const ValueId mean =
      g.add_node(AveragePool{{.kernel = {2, 2}, .strides = {2, 2}, .pads = {0, 0, 1, 1}}}, {tanh}, "mean");
  const ValueId flat = g.add_node(Flatten{}, {mean}, "flat");
  g.outputs = {g.add_node(
      Gemm{.trans_b = true},
      {flat, g.add_constant("w3", small({3, 36}, 5)), g.add_constant("b3", small({3}, 6))}, "scores")};
  return g;
}

inline quant::Recipe recipe_of(const numeric::ArithmeticSpec& spec) {
  quant::Recipe recipe;
  recipe.arithmetic = spec;
  if (spec.mode == numeric::Arithmetic::shift) use_powers_of_two(recipe);
  return recipe;
}

struct Network {
  ir::Graph simulated;
  qgraph::QuantizedGraph integers;
  data::Dataset dataset;

  explicit Network(const numeric::ArithmeticSpec& spec = {}, std::int64_t count = 128)
      : dataset(samples(count, {1, 6, 6})) {
    const ir::Graph real = float_network();
    const auto ranges = quant::ranges_on(real, dataset.images);
    simulated = quant::quantize(real, ranges, recipe_of(spec)).graph;
    integers = lower::lower(simulated);
  }
  template <typename T>
  T& layer(std::string_view name) {
    for (qgraph::Node& node : integers.nodes)
      if (node.name == name) return std::get<T>(node.op);
    throw std::logic_error("no such layer");
  }
};

}  // namespace halftone::analysis
