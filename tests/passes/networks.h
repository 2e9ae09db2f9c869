// Networks for the passes, and the judge of whether two graphs are one function.
#pragma once

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "halftone/passes/pass.h"
#include "tests/ir/tensors.h"

namespace halftone::passes {

using ir::floats;
using ir::Graph;
using ir::kNoValue;
using ir::random_floats;
using ir::ValueId;

inline int choose(int below) { return *rc::gen::resize(100, rc::gen::inRange(0, below)); }
inline std::uint64_t any_seed() { return static_cast<std::uint64_t>(choose(1 << 30)); }

template <typename Op>
int count(const Graph& graph) {
  return static_cast<int>(std::ranges::count_if(
      graph.nodes, [](const ir::Node& node) { return std::holds_alternative<Op>(node.op); }));
}

inline Tensor positive(Tensor tensor) {
  for (float& v : tensor.mutable_data<float>()) v = std::fabs(v) + 0.25F;
  return tensor;
}

inline ValueId add_batch_norm(Graph& g, ValueId x, std::int64_t channels, std::uint64_t seed,
                              const std::string& name) {
  return g.add_node(ir::BatchNormalization{},
                    {x, g.add_constant(name + "_scale", random_floats({channels}, seed)),
                     g.add_constant(name + "_bias", random_floats({channels}, seed + 1)),
                     g.add_constant(name + "_mean", random_floats({channels}, seed + 2)),
                     g.add_constant(name + "_var", positive(random_floats({channels}, seed + 3)))},
                    name);
}

inline Tensor random_input(const Graph& graph) {
  Shape shape = graph.value(graph.inputs[0]).shape;
  for (std::int64_t& dim : shape) dim = dim == kDynamic ? 3 : dim;
  return random_floats(shape, 99);
}

// Weights and biases are rounded to float32 again, at most a few times each: a relative 2^-21 of the sum of
// absolute values, which `magnitude` bounds.
inline std::optional<std::string> difference(const Graph& before, const Graph& after, double magnitude) {
  ir::check(after);
  const Tensor x = random_input(before);
  const auto a = ir::Interpreter(before).run({&x, 1});
  const auto b = ir::Interpreter(after).run({&x, 1});
  if (a.size() != b.size()) return "another number of outputs";
  for (std::size_t o = 0; o < a.size(); ++o) {
    if (a[o].shape() != b[o].shape()) return "another shape";
    if (before.value(before.outputs[o]).name != after.value(after.outputs[o]).name) return "another name";
    for (std::size_t i = 0; i < static_cast<std::size_t>(a[o].size()); ++i)
      if (!(std::fabs(double{a[o].data<float>()[i]} - b[o].data<float>()[i]) <= magnitude * 0x1p-21))
        return "element " + std::to_string(i) + ": " + std::to_string(a[o].data<float>()[i]) + " became " +
               std::to_string(b[o].data<float>()[i]);
  }
  return std::nullopt;
}

inline void expect_same(const Graph& before, const Graph& after, double magnitude = 0.0) {
  const auto found = difference(before, after, magnitude);
  EXPECT_FALSE(found) << *found;
}

// A linear layer of some kind on x, of 3 channels, without the pass's target behind it.
inline ValueId add_linear(Graph& g, int kind, bool bias, std::uint64_t seed, float alpha = 1.0F,
                          float beta = 1.0F) {
  std::vector<ValueId> inputs;
  ir::Op op = ir::Conv{{.pads = {1, 1, 0, 0}}};
  if (kind == 0) {
    inputs = {g.add_input("x", DType::float32, {kDynamic, 2, 4, 4}),
              g.add_constant("w", random_floats({3, 2, 2, 2}, seed))};
  } else {
    op = kind == 3 ? ir::Op(ir::MatMul{})
                   : ir::Op(ir::Gemm{.alpha = alpha, .beta = beta, .trans_b = kind == 1});
    inputs = {g.add_input("x", DType::float32, {kDynamic, 5}),
              g.add_constant("w", random_floats(kind == 1 ? Shape{3, 5} : Shape{5, 3}, seed))};
  }
  if (bias && kind != 3) inputs.push_back(g.add_constant("b", random_floats({3}, seed + 1)));
  return g.add_node(op, inputs, "linear");
}

// Sums of up to 8 products below 16, times a factor below 8, and alpha and beta up to 2.
inline constexpr double kMagnitude = 8 * 16 * 8 * 2;

}  // namespace halftone::passes
