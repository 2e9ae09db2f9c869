// One op between pairs, for every op with an integer form: the integers stay within a step of the simulation,
// and are the same from every file format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/save.h"
#include "halftone/passes/pass.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/lower/lower.h"
#include "halftone/lower/qoperators.h"
#include "halftone/quant/quantize.h"
#include "tests/ir/tensors.h"
#include "tests/quant/network.h"

namespace halftone::quant {
namespace {

using ir::floats;
using ir::Graph;
using ir::OneNode;
using ir::random_floats;

struct Case {
  std::string name;
  Graph graph;
  bool moves = false;   // no arithmetic: simulation and integers are equal
  bool island = false;  // stays float
};

void add_windows(std::vector<Case>& cases) {
  using namespace ir;
  const Window wide{.kernel = {3, 2}, .strides = {2, 3}, .pads = {1, 0, 2, 1}, .dilations = {1, 2}};
  cases.push_back({"conv_transpose", OneNode()
                                         .input({2, 4, 5, 3})
                                         .constant(random_floats({4, 3, 3, 2}, 1))
                                         .constant(random_floats({3}, 2))
                                         .with(ConvTranspose{.window = wide, .output_padding = {1, 2}})});
  cases.push_back({"conv_transpose_groups", OneNode()
                                                .input({1, 4, 5, 3})
                                                .constant(random_floats({4, 3, 3, 2}, 3))
                                                .with(ConvTranspose{.window = wide, .groups = 2})});
  cases.push_back(
      {"conv_transpose_1d", OneNode()
                                .input({1, 2, 7})
                                .constant(random_floats({2, 3, 4}, 4))
                                .with(ConvTranspose{.window = {.strides = {2}, .pads = {1, 1}}})});
  cases.push_back({"conv_transpose_cropped", OneNode()
                                                 .input({1, 2, 4, 4})
                                                 .constant(random_floats({2, 3, 2, 2}, 5))
                                                 .with(ConvTranspose{.window = {.pads = {2, 1, 1, 2}}})});
  cases.push_back({"conv_1d", OneNode()
                                  .input({3, 4, 9})
                                  .constant(random_floats({6, 2, 3}, 6))
                                  .constant(random_floats({6}, 7))
                                  .with(Conv{.window = {.strides = {2}, .pads = {2, 1}}, .groups = 2})});
  cases.push_back({"average_pool_1d", OneNode().input({2, 3, 9}).with(
                                          AveragePool{{.kernel = {3}, .strides = {2}, .pads = {1, 1}}})});
  cases.push_back(
      {"max_pool_1d", OneNode().input({2, 3, 9}).with(MaxPool{{.kernel = {4}, .dilations = {2}}}), true});
  cases.push_back({"global_average_pool_1d", OneNode().input({2, 3, 7}).with(GlobalAveragePool{})});
}

void add_arithmetic(std::vector<Case>& cases) {
  using namespace ir;
  cases.push_back({"add", OneNode().input({2, 3, 4}).input({3, 1}).with(Add{})});
  cases.push_back({"sub", OneNode().input({2, 3, 4}).input({3, 1}).with(Sub{})});
  cases.push_back({"mul", OneNode().input({2, 3, 4, 4}).input({2, 3, 1, 1}).with(Mul{})});
  cases.push_back({"sigmoid", OneNode().input({2, 30}).with(Sigmoid{})});
  cases.push_back({"leaky_relu", OneNode().input({2, 30}).with(LeakyRelu{.alpha = 0.3F})});
  for (const Shape& slopes : {Shape{}, Shape{3, 1, 1}, Shape{1, 3, 1, 1}})
    cases.push_back({"prelu_" + to_string(slopes),
                     OneNode().input({2, 3, 4, 5}).constant(random_floats(slopes, 8)).with(PRelu{})});
  cases.push_back({"one_minus", OneNode().constant(floats({}, {1})).input({2, 30}).with(Sub{})});
  cases.push_back({"over_two", OneNode().input({2, 5, 3}).constant(floats({1}, {2})).with(Div{})});
  cases.push_back({"at_least", OneNode().input({2, 3, 5}).constant(random_floats({3, 1}, 7)).with(Max{})});
  cases.push_back({"square", OneNode().input({2, 30}).constant(floats({}, {2})).with(Pow{})});
  cases.push_back({"prelu_flat", OneNode().input({9, 3}).constant(random_floats({3}, 9)).with(PRelu{})});
}

void add_moves(std::vector<Case>& cases) {
  using namespace ir;
  cases.push_back({"slice", OneNode().input({2, 5, 4}).with(Slice{{4, 0}, {0, 4}, {1, 2}, {-2, 3}}), true});
  cases.push_back(
      {"gather", OneNode().input({2, 5, 4}).constant(int64s({3, -1, 0})).with(Gather{.axis = 1}), true});
  cases.push_back({"pad", OneNode().input({1, 2, 4, 4}).with(Pad{{0, 0, 1, 2, 0, 1, 0, 3}}), true});
  cases.push_back({"pad_constant",
                   OneNode().input({1, 2, 4, 4}).with(Pad{{0, 0, 1, 2, 0, 1, 0, 3}, PadMode::constant, -7.0}),
                   true});
  cases.push_back(
      {"reflect", OneNode().input({1, 2, 4, 4}).with(Pad{{0, 0, 1, 2, 0, 0, 0, 3}, PadMode::reflect}), true});
  cases.push_back({"resize", OneNode().input({1, 2, 3, 5}).with(Resize{.scales = {1, 1, 2, 1.5F}}), true});
  cases.push_back({"expand", OneNode().input({1, 3, 1}).with(Expand{{2, 1, 4}}), true});
  cases.push_back({"depth_to_space", OneNode().input({1, 8, 2, 3}).with(DepthToSpace{2}), true});
  cases.push_back({"space_to_depth", OneNode().input({1, 2, 4, 6}).with(SpaceToDepth{2}), true});
  cases.push_back({"transpose", OneNode().input({2, 3, 4}).with(Transpose{{2, 0, 1}}), true});
  cases.push_back({"concat", OneNode().input({2, 3}).input({2, 4}).with(Concat{.axis = 1})});
  cases.push_back({"max", OneNode().input({2, 3, 4}).input({3, 1}).with(Max{}), true});
  cases.push_back({"min", OneNode().input({3, 1}).input({2, 1, 4}).input({4}).with(Min{}), true});
}

// The graph with a ReLU or Clip behind its result.
Graph bounded(Graph graph, ir::Op bound) {
  const ir::ValueId y = graph.outputs[0];
  graph.value(y).name = "unbounded";
  graph.nodes.back().name = "unbounded";
  graph.outputs = {graph.add_node(std::move(bound), {y}, "y")};
  return graph;
}

void add_bounded(std::vector<Case>& cases) {
  using namespace ir;
  const Graph conv = OneNode().input({2, 4, 5}).constant(random_floats({6, 4, 3}, 10)).with(Conv{});
  cases.push_back({"conv_relu", bounded(conv, Relu{})});
  cases.push_back({"conv_clip", bounded(conv, Clip{.lo = -7.0F, .hi = 11.0F})});
  cases.push_back({"conv_relu_clip", bounded(bounded(conv, Relu{}), Clip{.lo = -1.0F, .hi = 6.0F})});
  cases.push_back({"conv_clip_below", bounded(conv, Clip{.hi = 2.0F})});
  const Graph gemm = OneNode().input({3, 4}).constant(random_floats({4, 6}, 11)).with(Gemm{});
  cases.push_back({"gemm_relu", bounded(gemm, Relu{})});
  const Graph matmul = OneNode().input({3, 4}).constant(random_floats({4, 6}, 12)).with(MatMul{});
  cases.push_back({"matmul_relu", bounded(matmul, Relu{})});
  const Graph sum = OneNode().input({2, 3, 4}).input({3, 1}).with(Add{});
  cases.push_back({"add_relu", bounded(sum, Relu{})});
  cases.push_back({"sub_relu", bounded(OneNode().input({2, 3}).input({3}).with(Sub{}), Relu{})});
  cases.push_back(
      {"twice_relu", bounded(OneNode().input({2, 30}).constant(floats({}, {2})).with(Mul{}), Relu{})});
  cases.push_back({"mul_clip", bounded(OneNode().input({2, 3}).input({3}).with(Mul{}), Clip{-1.0F, 3.0F})});
  cases.push_back(
      {"concat_constant",
       bounded(OneNode().input({2, 3}).constant(random_floats({2, 2}, 15)).with(Concat{1}), Tanh{}), false,
       true});
  cases.push_back({"average_pool_beyond_its_padding",
                   OneNode().input({2, 3, 7}).with(AveragePool{
                       {.kernel = {3}, .strides = {2}, .pads = {1, 1}, .ceil_mode = true}, true})});
  const Graph mean = OneNode().input({2, 3, 7}).with(AveragePool{{.kernel = {3}}});
  cases.push_back({"average_pool_relu", bounded(mean, Relu{})});
  const Graph transposed =
      OneNode().input({1, 2, 7}).constant(random_floats({2, 3, 4}, 13)).with(ConvTranspose{});
  cases.push_back({"conv_transpose_relu", bounded(transposed, Relu{})});
  cases.push_back({"sigmoid_clip", bounded(OneNode().input({2, 30}).with(Sigmoid{}), Clip{0.25F, 0.75F})});
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_bounded(cases);
  add_windows(cases);
  add_arithmetic(cases);
  add_moves(cases);
  return cases;
}

std::vector<Tensor> inputs_of(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (ir::ValueId id : graph.inputs)
    inputs.push_back(random_floats(graph.value(id).shape, 50 + inputs.size()));
  return inputs;
}

RangeTable ranges_for(const Graph& graph, const std::vector<Tensor>& inputs) {
  RangeTable ranges;
  ir::Interpreter(graph).run(inputs, [&](std::string_view name, Tensor& value) {
    numeric::Range range;
    for (float v : value.data<float>()) {
      range.lo = std::min<double>(range.lo, v);
      range.hi = std::max<double>(range.hi, v);
    }
    ranges.emplace(std::string(name), range);
  });
  return ranges;
}

Recipe recipe_of(numeric::Arithmetic mode, int weight_bits = 8) {
  Recipe recipe{.weights = {.format = {weight_bits, true, true}}};
  recipe.arithmetic.mode = mode;
  if (mode == numeric::Arithmetic::shift) use_powers_of_two(recipe);
  return recipe;
}

constexpr numeric::Arithmetic kModes[] = {numeric::Arithmetic::fixed, numeric::Arithmetic::shift,
                                          numeric::Arithmetic::onnx};

std::vector<Tensor> run_integers(const Graph& graph, const std::vector<Tensor>& inputs) {
  return qgraph::Interpreter(lower::lower(graph)).run(inputs);
}

TEST(EveryOp, IntegersStayWithinAStepOfTheSimulation) {
  for (const Case& c : all_cases())
    for (numeric::Arithmetic mode : kModes)
      for (int bits : {8, 4, 2}) {
        const std::vector<Tensor> inputs = inputs_of(c.graph);
        const Graph quantized = quantize(c.graph, ranges_for(c.graph, inputs), recipe_of(mode, bits)).graph;
        ASSERT_NO_THROW(ir::check(quantized)) << c.name;
        const qgraph::QuantizedGraph integers = lower::lower(quantized);
        EXPECT_EQ(integers.integer_only(), !c.island) << c.name;
        const Tensor real = ir::Interpreter(quantized).run(inputs).at(0);
        const Tensor mine = qgraph::Interpreter(integers).run(inputs).at(0);
        ASSERT_EQ(real.shape(), mine.shape()) << c.name;
        const double step = c.moves ? 0.0 : 1.001 * grid_of(quantized, "y").scale;
        for (std::size_t i = 0; i < static_cast<std::size_t>(real.size()); ++i)
          EXPECT_NEAR(real.data<float>()[i], mine.data<float>()[i], step) << c.name << " element " << i;
      }
}

// Activations of every kind in every arithmetic.
std::vector<Recipe> recipes() {
  std::vector<Recipe> all;
  for (numeric::Arithmetic mode : kModes)
    for (numeric::Scheme scheme : {numeric::Scheme::asymmetric, numeric::Scheme::symmetric})
      for (bool is_signed : {true, false}) {
        Recipe recipe = recipe_of(mode);
        recipe.activations.scheme = scheme;
        recipe.activations.format = {8, is_signed, false};
        if (is_signed || scheme == numeric::Scheme::asymmetric) all.push_back(recipe);
      }
  return all;
}

std::size_t integer_nodes(const Graph& graph) {
  return static_cast<std::size_t>(qgraph::count_work(lower::lower(graph)).integer_nodes);
}

TEST(EveryOp, IsTheSameFromEveryFormat) {
  for (const Case& c : all_cases())
    for (const Recipe& recipe : recipes()) {
      const std::vector<Tensor> inputs = inputs_of(c.graph);
      const Graph pairs = quantize(c.graph, ranges_for(c.graph, inputs), recipe).graph;
      const std::vector<Tensor> expected = run_integers(pairs, inputs);
      for (const Graph& other :
           {lower::with_integer_operators(pairs), lower::with_quant_nodes(pairs), pairs}) {
        const std::string bytes = onnx_io::serialize_model(other);
        const Graph read = onnx_io::parse_model(std::as_bytes(std::span(bytes)), "model");
        EXPECT_EQ(onnx_io::serialize_model(read), bytes) << c.name << ", " << describe(recipe);
        EXPECT_EQ(run_integers(read, inputs), expected) << c.name << ", " << describe(recipe);
        EXPECT_EQ(integer_nodes(read), integer_nodes(pairs)) << c.name << ", " << describe(recipe);
      }
    }
}

TEST(EveryOp, OperatorsOnIntegersComputeTheSameOneByOne) {
  // QLinearConv and the others have a meaning of their own in ir: exactly that of arithmetic `onnx`.
  for (const Case& c : all_cases())
    for (numeric::Scheme scheme : {numeric::Scheme::asymmetric, numeric::Scheme::symmetric}) {
      const std::vector<Tensor> inputs = inputs_of(c.graph);
      Recipe recipe = recipe_of(numeric::Arithmetic::onnx);
      recipe.activations.scheme = scheme;
      const Graph pairs = quantize(c.graph, ranges_for(c.graph, inputs), recipe).graph;
      const Graph operators = lower::with_integer_operators(pairs);
      EXPECT_EQ(ir::Interpreter(operators).run(inputs), run_integers(pairs, inputs)) << c.name;
    }
}

TEST(EveryOp, BoundsInsideTheRangeOfAResultAreAClipOfItsIntegers) {
  const Graph relu =
      bounded(ir::OneNode().input({3, 4}).constant(random_floats({4, 6}, 11)).with(ir::Gemm{}), ir::Relu{});
  const std::vector<Tensor> inputs = inputs_of(relu);
  for (numeric::Scheme scheme : {numeric::Scheme::asymmetric, numeric::Scheme::symmetric}) {
    Recipe recipe;
    recipe.activations.scheme = scheme;
    const Graph pairs = quantize(relu, ranges_for(relu, inputs), recipe).graph;
    const Graph operators = lower::with_integer_operators(pairs);
    const ir::Node* y = node_of(operators, "y_quantized");
    ASSERT_NE(y, nullptr);
    if (scheme == numeric::Scheme::asymmetric)
      EXPECT_TRUE(std::holds_alternative<ir::QGemm>(y->op));
    else
      EXPECT_EQ(std::get<ir::Clip>(y->op), (ir::Clip{0.0F, 127.0F}));
  }
}

}  // namespace
}  // namespace halftone::quant
