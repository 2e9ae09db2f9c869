#include "halftone/lower/simulation.h"

#include <gmock/gmock.h>

#include "halftone/ir/infer.h"
#include "halftone/ir/interpreter.h"
#include "tests/lower/qdq.h"

namespace halftone::qgraph {
namespace {

// x [N, 2] -> Gemm with a bias that is float -> y, s_x·s_w = 1/8 and 1/16.
Qdq network(const std::vector<float>& bias) {
  Qdq g(numeric::ArithmeticSpec{.mode = numeric::Arithmetic::onnx});
  const ir::ValueId x = g.pair(g.input({kDynamic, 2}), {.scale = 0.5F}, "x_q");
  const ir::ValueId w = g.weights(int8s({2, 2}, {1, -2, 3, 4}), {0.25F, 0.125F}, {}, 0, "w");
  const ir::ValueId b = g.graph.add_constant("b", ir::floats({2}, bias));
  const ir::ValueId y = g.node(ir::Gemm{.trans_b = true}, {x, w, b}, "fc");
  g.graph.outputs = {g.pair(y, {.scale = 0.0625F}, "y")};
  return g;
}

TEST(Simulation, TakesTheBiasThatTheIntegersAdd) {
  Qdq g = network({0.3F, -0.5F});  // 2.4 steps of 1/8, -8 of 1/16
  const QuantizedGraph integers = lower::lower(g.graph);
  ASSERT_EQ(integers.rounded_biases.size(), 1u);
  const RoundedBias& bias = integers.rounded_biases[0];
  EXPECT_EQ(bias.layer, "fc");
  EXPECT_EQ(bias.real, (std::vector<float>{0.25F, -0.5F}));
  EXPECT_NEAR(bias.most_steps, 0.4, 1e-6);
  EXPECT_NEAR(bias.most, 0.05, 1e-6);
  const ir::Graph simulated = lower::simulation(g.graph, integers);
  ir::check(simulated);
  const Tensor x = ir::random_floats({50, 2}, 1);
  const Tensor real = ir::Interpreter(simulated).run({&x, 1}).at(0);
  EXPECT_EQ(real, Interpreter(integers).run({&x, 1}).at(0));  // all numbers are exact in float32
  EXPECT_NE(real, ir::Interpreter(g.graph).run({&x, 1}).at(0));
}

TEST(Simulation, IsTheFileWhereItsBiasIsOnTheGrid) {
  Qdq g = network({0.25F, -0.5F});
  const QuantizedGraph integers = lower::lower(g.graph);
  EXPECT_TRUE(integers.rounded_biases.empty());
  EXPECT_EQ(lower::simulation(g.graph, integers).values.size(), g.graph.values.size());
}

TEST(Simulation, LayersThatShareABiasHaveOneEach) {
  Qdq g(numeric::ArithmeticSpec{.mode = numeric::Arithmetic::onnx});
  const ir::ValueId b = g.graph.add_constant("b", ir::floats({2}, {0.3F, -0.4F}));
  const auto layer = [&](ir::ValueId x, float scale, const std::string& name) {
    const ir::ValueId w = g.weights(int8s({2, 2}, {1, -2, 3, 4}), {scale}, {}, 0, name + "_w");
    return g.pair(g.node(ir::Gemm{.trans_b = true}, {x, w, b}, name), {.scale = 0.5F}, name + "_y");
  };
  const ir::ValueId x = g.pair(g.input({kDynamic, 2}), {.scale = 0.5F}, "x_q");
  g.graph.outputs = {layer(layer(x, 0.5F, "first"), 0.25F, "second")};
  const QuantizedGraph integers = lower::lower(g.graph);
  ASSERT_EQ(integers.rounded_biases.size(), 2u);
  const ir::Graph simulated = lower::simulation(g.graph, integers);
  const Tensor x0 = ir::random_floats({50, 2}, 2);
  EXPECT_EQ(ir::Interpreter(simulated).run({&x0, 1}).at(0), Interpreter(integers).run({&x0, 1}).at(0));
}

}  // namespace
}  // namespace halftone::qgraph
