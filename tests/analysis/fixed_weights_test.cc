// Networks with fixed-point parameters.
#include "halftone/analysis/fixed_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "halftone/base/error.h"
#include "tests/ir/tensors.h"

namespace halftone::analysis {
namespace {

using numeric::Overflow;
using testing::ElementsAre;

// x·wᵀ + b, then the same w once more through an Add.
ir::Graph network(const std::vector<float>& w, const std::vector<float>& b) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ir::ValueId weights = g.add_constant("w", ir::floats({2, 2}, w));
  const ir::ValueId y =
      g.add_node(ir::Gemm{.trans_b = true}, {x, weights, g.add_constant("b", ir::floats({2}, b))}, "y");
  g.outputs = {y, g.add_node(ir::Add{}, {weights, weights}, "twice")};
  return g;
}

std::vector<float> parameter(const ir::Graph& graph, std::size_t place) {
  return ir::values_of<float>(*graph.constant(graph.nodes[0].inputs[place]));
}

TEST(FixedWeights, AreAtTheirRealValueAndBiasesStay) {
  const ir::Graph g = network({0.3F, -0.3F, 1.0F, 5.0F}, {0.3F, 9.0F});
  const ir::Graph fixed = with_fixed_weights(g, {4, 2}, Overflow::saturate);
  EXPECT_THAT(parameter(fixed, 1), ElementsAre(0.25F, -0.25F, 1.0F, 1.75F));
  EXPECT_THAT(parameter(fixed, 2), ElementsAre(0.3F, 9.0F));
  EXPECT_THAT(parameter(with_fixed_weights(g, {4, 2}, Overflow::wrap), 1),
              ElementsAre(0.25F, -0.25F, 1.0F, 1.0F));
}

TEST(FixedWeights, OtherReadersOfAConstantSeeItUnchanged) {
  const ir::Graph fixed = with_fixed_weights(network({0.3F, 0, 0, 0}, {0, 0}), {4, 2}, Overflow::saturate);
  EXPECT_THAT(ir::values_of<float>(*fixed.constant(fixed.nodes[1].inputs[0])), ElementsAre(0.3F, 0, 0, 0));
}

TEST(FixedWeights, UnscaledParametersAreTheIntegersOfWeightsAndBiases) {
  const ir::Graph lab = with_unscaled_parameters(network({0.3F, -0.3F, 1.0F, 5.0F}, {0.3F, 9.0F}), {4, 2});
  EXPECT_THAT(parameter(lab, 1), ElementsAre(1, -1, 4, 7));
  EXPECT_THAT(parameter(lab, 2), ElementsAre(1, 7));
}

TEST(FixedWeights, WordLengthIsTheLeastThatHoldsEveryParameter) {
  EXPECT_EQ(word_length_for(network({0, 0, 0, 0}, {0, 0}), 4), 1);
  EXPECT_EQ(word_length_for(network({-1, 0, 0, 0}, {0, 0}), 0), 1);
  EXPECT_EQ(word_length_for(network({1, 0, 0, 0}, {0, 0}), 0), 2);
  EXPECT_EQ(word_length_for(network({-0.5F, 0.4375F, 0, 0}, {0, 0}), 4), 4);
  EXPECT_EQ(word_length_for(network({-0.5F, 0.5F, 0, 0}, {0, 0}), 4), 5);
  EXPECT_EQ(word_length_for(network({0, 0, 0, 0}, {0, 100}), 0), 8);
}

TEST(FixedWeights, WhatHasNoIntegersIsRefused) {
  EXPECT_THROW(with_fixed_weights(network({NAN, 0, 0, 0}, {0, 0}), {8, 4}, Overflow::saturate), InputError);
  EXPECT_THROW(with_unscaled_parameters(network({0, 0, 0, 0}, {NAN, 0}), {8, 4}), InputError);
  EXPECT_THROW(word_length_for(network({std::numeric_limits<float>::infinity(), 0, 0, 0}, {0, 0}), 0),
               InputError);
  ir::Graph none;
  none.outputs = {none.add_node(ir::Relu{}, {none.add_input("x", DType::float32, {1})}, "y")};
  EXPECT_THROW(with_fixed_weights(none, {8, 4}, Overflow::saturate), InputError);
}

}  // namespace
}  // namespace halftone::analysis
