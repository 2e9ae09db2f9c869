// Which settings a layer and a value take.
#include "halftone/quant/assignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/quant/bits.h"
#include "tests/quant/network.h"

namespace halftone::quant {
namespace {

TEST(Matches, TakesStarsAndQuestionMarks) {
  for (const auto& [pattern, text] :
       {std::pair{"conv", "conv"}, {"*", ""}, {"*", "conv"}, {"c*v", "conv"}, {"c??v", "conv"},
        {"**conv**", "conv"}, {"*a*b*c", "xxaxbxxbxc"}, {"a*", "a*"}, {"*.weight", "layer1.0.weight"}})
    EXPECT_TRUE(matches(pattern, text)) << pattern << " " << text;
  for (const auto& [pattern, text] :
       {std::pair{"conv", "conv1"}, {"", "a"}, {"?", ""}, {"c?v", "conv"}, {"*a*b", "ab1"}, {"a*b*a", "aba1"}})
    EXPECT_FALSE(matches(pattern, text)) << pattern << " " << text;
}

int weight_bits(const Assignment& assigned, std::size_t node) { return assigned.weights[node].format.bits; }
int value_bits(const ir::Graph& g, const Assignment& assigned, const char* name) {
  return assigned.activations[static_cast<std::size_t>(g.find(name).value())].format.bits;
}

// Nodes: conv, relu, pool, flat, scores.
TEST(Assignment, TheLastRuleThatMatchesCounts) {
  const ir::Graph g = conv_network();
  Recipe recipe;
  WeightRecipe four = recipe.weights;
  four.format.bits = 4;
  WeightRecipe two = recipe.weights;
  two.format.bits = 2;
  recipe.layers = {{"*", four}, {"v", two}};  // by the name of the weights
  const Assignment assigned = assign(g, recipe);
  EXPECT_EQ(weight_bits(assigned, 0), 4);
  EXPECT_EQ(weight_bits(assigned, 4), 2);
  recipe.layers = {{"<first>", two}, {"<last>", four}};
  EXPECT_EQ(weight_bits(assign(g, recipe), 0), 2);
  EXPECT_EQ(weight_bits(assign(g, recipe), 4), 4);
}

TEST(Assignment, SumsMayHaveMoreBits) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 4});
  const auto layer = [&](ir::ValueId in, const char* name) {
    return g.add_node(ir::Gemm{}, {in, g.add_constant(std::string(name) + "_w", Tensor::from<float>({4, 4}, std::vector<float>(16, 0.5F)))}, name);
  };
  const ir::ValueId first = layer(x, "first");     // of a layer and of a sum
  const ir::ValueId second = layer(first, "second");  // of a sum alone
  const ir::ValueId sum = g.add_node(ir::Add{}, {first, second}, "sum");
  g.outputs = {layer(sum, "scores")};
  Recipe recipe;
  recipe.activations.format.bits = 4;
  EXPECT_EQ(value_bits(g, assign(g, recipe), "second"), 4);
  recipe.sum_bits = 8;
  const Assignment assigned = assign(g, recipe);
  for (const auto& [name, bits] : {std::pair{"x", 4}, {"first", 4}, {"second", 8}, {"sum", 4}, {"scores", 4}}) EXPECT_EQ(value_bits(g, assigned, name), bits) << name;
  recipe.tensors = {{"second", recipe.activations}};
  EXPECT_EQ(value_bits(g, assign(g, recipe), "second"), 4);
}

TEST(Assignment, ValuesThatShareAScaleShareASetting) {
  const ir::Graph g = conv_network();
  Recipe recipe;
  ActivationRecipe four = recipe.activations;
  four.format.bits = 4;
  recipe.tensors = {{"pool", four}};
  const Assignment assigned = assign(g, recipe);
  for (const char* name : {"relu", "pool", "flat"}) EXPECT_EQ(value_bits(g, assigned, name), 4) << name;
  for (const char* name : {"x", "scores"}) EXPECT_EQ(value_bits(g, assigned, name), 8) << name;
  recipe.tensors = {{"<input>", four}, {"<output>", four}};
  EXPECT_EQ(value_bits(g, assign(g, recipe), "x"), 4);
  EXPECT_EQ(value_bits(g, assign(g, recipe), "scores"), 4);
  EXPECT_EQ(value_bits(g, assign(g, recipe), "relu"), 8);
  recipe.tensors = {{"<last>", four}};
  EXPECT_EQ(value_bits(g, assign(g, recipe), "relu"), 4);
}

TEST(Assignment, ARuleThatMatchesNothingIsRefused) {
  const ir::Graph g = conv_network();
  Recipe layer;
  layer.layers = {{"conv9", layer.weights}};
  EXPECT_THROW(assign(g, layer), UsageError);
  Recipe tensor;
  tensor.tensors = {{"conv", tensor.activations}};  // not quantized: its ReLU is
  EXPECT_THROW(assign(g, tensor), UsageError);
}

// Nodes: conv, relu, pool, flat, scores.
TEST(Assignment, ARuleKeepsALayerFloatWithWhatBelongsToIt) {
  const ir::Graph g = conv_network();
  const auto roles = [&](std::vector<LayerRule> rules) { return assign(g, {.layers = std::move(rules)}).plan.role; };
  const WeightRecipe usual;
  using enum lower::Role;
  EXPECT_THAT(roles({{"conv", usual, true}}), testing::ElementsAre(floating, floating, floating, floating, linear));
  EXPECT_THAT(roles({{"scores", usual, true}}), testing::ElementsAre(linear, fused, move, move, floating));
  EXPECT_THAT(roles({{"*", usual, true}, {"w", usual}}), testing::ElementsAre(linear, fused, floating, floating, floating));
  EXPECT_THAT(roles({{"<first>", usual, true}, {"conv", usual}}), testing::ElementsAre(linear, fused, move, move, linear));
  for (const char* name : {"nobody", "relu", ""}) EXPECT_THROW(roles({{name, usual, true}}), UsageError) << name;
  EXPECT_THROW(roles({{"*", usual, true}, {"nobody", usual}}), UsageError);
}

TEST(Assignment, WhatStaysFloatGetsNoPair) {
  const ir::Graph g = conv_network();
  const RangeTable ranges = ranges_of(g);  // of all values: rules need no others
  const ir::Graph first = quantize(g, ranges, {.layers = {{"conv", {}, true}}}).graph;
  EXPECT_EQ(node_of(first, "x_quantized"), nullptr);
  EXPECT_EQ(node_of(first, "w_dequantized"), nullptr);
  EXPECT_EQ(node_of(first, "relu_quantized"), nullptr);
  EXPECT_NE(node_of(first, "flat_quantized"), nullptr);
  EXPECT_TRUE(constant_of(first, "w") == constant_of(g, "w"));
  const ir::Graph last = quantize(g, ranges, {.layers = {{"scores", {}, true}}}).graph;
  EXPECT_NE(node_of(last, "x_quantized"), nullptr);
  EXPECT_EQ(node_of(last, "scores_quantized"), nullptr);
  EXPECT_TRUE(constant_of(last, "v") == constant_of(g, "v"));
}

TEST(Assignment, OfWeightsAloneQuantizesNoValue) {
  const ir::Graph g = conv_network();
  const ir::Graph quantized = quantize(g, {}, {.weight_only = true}).graph;
  EXPECT_EQ(node_of(quantized, "x_quantized"), nullptr);
  EXPECT_NE(node_of(quantized, "w_dequantized"), nullptr);
  EXPECT_TRUE(constant_of(quantized, "b") == constant_of(g, "b"));
}

TEST(Assignment, BitsOfALayerReachItsFile) {
  const ir::Graph g = conv_network();
  Recipe recipe;
  recipe.weights.format.bits = 4;
  WeightRecipe binary = recipe.weights;
  binary.code = WeightCode::binary;
  recipe.layers = {{"scores", binary}};
  ActivationRecipe wide = recipe.activations;
  wide.format.bits = 16;
  recipe.tensors = {{"<input>", wide}};
  const ir::Graph quantized = quantize(g, ranges_of(g), recipe).graph;
  EXPECT_EQ(constant_of(quantized, "w_quantized").dtype(), DType::int4);
  EXPECT_EQ(constant_of(quantized, "v_quantized").dtype(), DType::int2);
  EXPECT_EQ(constant_of(quantized, "x_zero_point").dtype(), DType::int16);
  for (std::int32_t q : numeric::to_int32(constant_of(quantized, "v_quantized"))) EXPECT_EQ(q * q, 1);
}

// The defaults of few bits have a rule for the outputs, which may be float.
TEST(Assignment, APlaceWithoutAQuantizedValueIsNoError) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 2, 2, 2});
  g.outputs = {g.add_node(ir::GlobalMaxPool{}, {g.add_node(ir::Relu{}, {x}, "relu")}, "largest")};
  Recipe recipe = recipe_for("w4a4");
  EXPECT_NO_THROW(assign(g, recipe));
  recipe.tensors.push_back({"nobody", recipe.activations});
  EXPECT_THROW(assign(g, recipe), UsageError);
}

}  // namespace
}  // namespace halftone::quant
