// A layer's problem says what the layer computes.
#include "halftone/ptq/measure_problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/ir/interpreter.h"
#include "tests/quant/network.h"

namespace halftone::ptq {
namespace {

std::unique_ptr<ir::Executor> interpreter_of(const ir::Graph& graph) {
  return std::make_unique<ir::Interpreter>(graph);
}

ir::Graph one_layer(ir::Op op, Shape x, Shape w, std::int64_t channels) {
  ir::Graph g;
  std::vector<ir::ValueId> inputs{g.add_input("x", DType::float32, std::move(x)),
                                  g.add_constant("w", ir::random_floats(std::move(w), 3))};
  if (!std::holds_alternative<ir::MatMul>(op)) inputs.push_back(g.add_constant("b", ir::random_floats({channels}, 4)));
  g.outputs = {g.add_node(std::move(op), inputs, "y")};
  return g;
}

std::vector<ir::Graph> layers() {
  return {
      one_layer(ir::Conv{{.strides = {2, 1}, .pads = {1, 0, 1, 2}, .dilations = {1, 2}}}, {kDynamic, 3, 6, 7},
                {4, 3, 2, 3}, 4),
      one_layer(ir::Conv{.window = {.auto_pad = ir::AutoPad::same_upper}, .groups = 2}, {kDynamic, 4, 5, 5},
                {6, 2, 3, 3}, 6),
      one_layer(ir::Conv{.window = {.pads = {1, 1, 1, 1}}, .groups = 3}, {kDynamic, 3, 4, 4}, {3, 1, 3, 3}, 3),
      one_layer(ir::Conv{{.pads = {1, 1}}}, {kDynamic, 2, 9}, {3, 2, 3}, 3),
      one_layer(ir::Gemm{.trans_b = true}, {kDynamic, 5}, {3, 5}, 3),
      one_layer(ir::Gemm{}, {kDynamic, 5}, {5, 3}, 3),
      one_layer(ir::MatMul{}, {kDynamic, 2, 5}, {5, 3}, 3),
  };
}

Walk walk_of(const ir::Graph& graph, const calibration::MakeExecutor& make, const quant::Parameters& parameters, int threads = 1) {
  Shape shape = graph.value(graph.inputs[0]).shape;
  shape[0] = 40;
  const Tensor samples = ir::random_floats(shape, 5);
  const calibration::SampleSource source{40, [samples](std::int64_t first, std::int64_t last) {
                              return std::vector<Tensor>{samples.rows(first, last)};
                            }};
  Walk walk(graph, {source, {.threads = threads}, make}, 1000);
  walk.start(parameters);
  walk.run_real(0);
  return walk;
}

// With inputs that are not quantized, E[y·x̂] less the bias is Hw: the float weights lose nothing.
TEST(LayerProblem, OfExactInputsIsSolvedByTheFloatWeights) {
  const calibration::MakeExecutor make = interpreter_of;
  for (const ir::Graph& g : layers()) {
    const quant::Parameters parameters = quant::choose_parameters(g, {}, {.weight_only = true});
    const Walk walk = walk_of(g, make, parameters);
    for (bool centred : {false, true})
      for (std::int64_t group = 0; group < groups_of(g.nodes[0]); ++group) {
        const LayerProblem p = measure_problem(walk, 0, group, centred);
        double largest = 0.0;
        for (float c : p.target) largest = std::max(largest, std::abs(double{c}));
        for (std::int64_t m = 0; m < p.channels; ++m)
          for (std::int64_t k = 0; k < p.inputs; ++k) {
            double sum = 0.0;
            for (std::int64_t j = 0; j < p.inputs; ++j)
              sum += double{p.hessian_of(k)[static_cast<std::size_t>(j)]} *
                     p.weights_of(m)[static_cast<std::size_t>(j)];
            EXPECT_NEAR(sum, p.target_of(m)[static_cast<std::size_t>(k)], 1e-4 * largest)
                << ir::describe(g, g.nodes[0]) << " group " << group << " channel " << m << " weight " << k;
          }
      }
  }
}

TEST(LayerProblem, EveryWeightHasAPlaceOfItsOwn) {
  for (const ir::Graph& g : layers()) {
    const ir::Node& node = g.nodes[0];
    const Tensor& w = *g.constant(node.inputs[1]);
    std::vector<int> seen(static_cast<std::size_t>(w.size()), 0);
    const std::int64_t groups = groups_of(node);
    const std::int64_t channels = w.dim(static_cast<std::size_t>(ir::weight_axis(node.op))) / groups;
    const std::int64_t inputs = w.size() / (channels * groups);
    for (std::int64_t group = 0; group < groups; ++group)
      for (std::int64_t m = 0; m < channels; ++m)
        for (std::int64_t k = 0; k < inputs; ++k) ++seen.at(weight_place(g, node, group, m, k));
    EXPECT_THAT(seen, testing::Each(1)) << ir::describe(g, node);
  }
}

TEST(LayerProblem, IsTheSameForAnyThreads) {
  const calibration::MakeExecutor make = interpreter_of;
  for (const ir::Graph& g : layers()) {
    const quant::Parameters parameters = quant::choose_parameters(g, {}, {.weight_only = true});
    const LayerProblem one = measure_problem(walk_of(g, make, parameters, 1), 0, 0, true);
    const LayerProblem two = measure_problem(walk_of(g, make, parameters, 2), 0, 0, true);
    EXPECT_EQ(one.hessian, two.hessian);
    EXPECT_EQ(one.target, two.target);
  }
}

}  // namespace
}  // namespace halftone::ptq
