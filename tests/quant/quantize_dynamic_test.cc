// Networks whose layers take integers with the range of the moment.
#include "halftone/quant/quantize_dynamic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/save.h"
#include "tests/quant/network.h"

namespace halftone::quant {
namespace {

Recipe dynamic() {
  Recipe recipe;
  recipe.weight_only = recipe.dynamic = true;
  return recipe;
}

ir::Graph quantized(const ir::Graph& graph, const Recipe& recipe) {
  const Parameters parameters = choose_parameters(graph, {}, recipe);
  const std::string file = onnx_io::serialize_model(quantize_dynamic(graph, parameters, recipe.arithmetic).graph);
  return onnx_io::parse_model(std::as_bytes(std::span(file)), "dynamic");
}

int count(const ir::Graph& graph, std::string_view op) {
  return static_cast<int>(
      std::ranges::count_if(graph.nodes, [&](const ir::Node& node) { return ir::name_of(node.op) == op; }));
}

// Two layers read x: it is quantized once.
ir::Graph network() {
  using namespace ir;
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 3, 5, 5});
  const auto constant = [&](const char* name, Shape shape) {
    return g.add_constant(name, random_floats(std::move(shape), g.values.size()));
  };
  const ValueId a = g.add_node(Conv{{.pads = {1, 1, 1, 1}}}, {x, constant("a_w", {4, 3, 3, 3}), constant("a_b", {4})}, "a");
  const ValueId b = g.add_node(Conv{{.pads = {1, 1, 1, 1}}}, {x, constant("b_w", {4, 3, 3, 3})}, "b");
  const ValueId sum = g.add_node(Relu{}, {g.add_node(Add{}, {a, b}, "sum")}, "relu");
  const ValueId flat = g.add_node(Flatten{}, {sum}, "flat");
  const ValueId c = g.add_node(Gemm{.trans_b = true}, {flat, constant("c_w", {6, 100}), constant("c_b", {6})}, "c");
  const ValueId d = g.add_node(MatMul{}, {c, constant("d_w", {6, 2})}, "d");
  g.outputs = {d, g.add_node(Gemm{}, {c, constant("e_w", {6, 3}), constant("e_b", {3})}, "e")};
  return g;
}

TEST(QuantizeDynamic, LayersTakeIntegersAndStayNearTheFloats) {
  const ir::Graph g = network();
  const Tensor x = ir::random_floats({7, 3, 5, 5}, 1);
  for (auto granularity : {numeric::Granularity::tensor, numeric::Granularity::channel})
    for (auto scheme : {numeric::Scheme::symmetric, numeric::Scheme::asymmetric}) {
      Recipe recipe = dynamic();
      recipe.weights.granularity = granularity;
      recipe.weights.scheme = scheme;
      recipe.weights.format.narrow = scheme == numeric::Scheme::symmetric;
      const ir::Graph q = quantized(g, recipe);
      EXPECT_EQ(count(q, "ConvInteger"), 2);
      EXPECT_EQ(count(q, "MatMulInteger"), 3);
      EXPECT_EQ(count(q, "DynamicQuantizeLinear"), 3);  // x, flat, c
      for (std::size_t o = 0; o < 2; ++o) {
        const Tensor real = ir::Interpreter(g).run({&x, 1}).at(o);
        const Tensor mine = ir::Interpreter(q).run({&x, 1}).at(o);
        float most = 0.0F;
        for (float v : real.data<float>()) most = std::max(most, std::fabs(v));
        for (std::size_t i = 0; i < static_cast<std::size_t>(real.size()); ++i)
          EXPECT_NEAR(mine.data<float>()[i], real.data<float>()[i], 0.05F * most);
      }
    }
}

TEST(QuantizeDynamic, OthersKeepTheirRoundedWeights) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 3, 3});
  const ir::ValueId w = g.add_constant("w", ir::random_floats({2, 3, 2, 2}, 1));
  g.outputs = {g.add_node(ir::ConvTranspose{}, {x, w}, "y")};
  const ir::Graph q = quantized(g, dynamic());
  EXPECT_EQ(count(q, "DequantizeLinear"), 1);
  const Tensor input = ir::random_floats({1, 2, 3, 3}, 2);
  const Tensor real = ir::run(g, {input});
  const Tensor mine = ir::run(q, {input});
  for (std::size_t i = 0; i < static_cast<std::size_t>(real.size()); ++i)
    EXPECT_NEAR(mine.data<float>()[i], real.data<float>()[i], 8.0F * 16.0F / 254.0F);  // eight products, half a step each
}

}  // namespace
}  // namespace halftone::quant
