// A float network whose layers take their channels from one another, and samples of it.
#pragma once

#include "halftone/ir/interpreter.h"
#include "halftone/calibration/calibrate.h"
#include "tests/ir/tensors.h"

namespace halftone::calibration {

inline std::unique_ptr<ir::Executor> interpreter_of(const ir::Graph& graph) {
  return std::make_unique<ir::Interpreter>(graph);
}

// Conv 2→3, `bound`, max pool, depthwise Conv, ReLU, Conv 3→2 without a bias, LeakyReLU, global mean, at [N, 2, 6, 6].
inline ir::Graph channel_network(std::uint64_t seed, const ir::Op& bound) {
  using namespace ir;
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 6, 6});
  const auto constant = [&](const char* name, Shape shape) {
    return g.add_constant(name, random_floats(std::move(shape), seed++));
  };
  ValueId y = g.add_node(Conv{}, {x, constant("w1", {3, 2, 2, 2}), constant("b1", {3})}, "conv1");
  y = g.add_node(bound, {y}, "bound1");
  y = g.add_node(MaxPool{{.kernel = {2, 2}}}, {y}, "pool");
  y = g.add_node(Conv{.groups = 3}, {y, constant("w2", {3, 1, 2, 2}), constant("b2", {3})}, "conv2");
  y = g.add_node(Relu{}, {y}, "relu2");
  y = g.add_node(Conv{}, {y, constant("w3", {2, 3, 1, 1})}, "conv3");
  y = g.add_node(LeakyRelu{.alpha = 0.25F}, {y}, "leaky");
  g.outputs = {g.add_node(GlobalAveragePool{}, {y}, "mean")};
  return g;
}

}  // namespace halftone::calibration
