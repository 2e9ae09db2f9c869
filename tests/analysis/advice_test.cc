// The ranking finds the layer that was made bad on purpose, and each rule gives its advice.
#include "halftone/analysis/advice.h"

#include <gtest/gtest.h>

#include "tests/analysis/analyzed.h"

namespace halftone::analysis {
namespace {

quant::Recipe weights_of(int bits, numeric::Granularity granularity = numeric::Granularity::channel) {
  quant::Recipe recipe;
  recipe.weights.format.bits = bits;
  recipe.weights.granularity = granularity;
  return recipe;
}

// A network with numbers that a test may change before it asks.
struct Measured {
  MatchedModels models;
  LayerErrors errors;
  Sensitivity harm;

  explicit Measured(const quant::Recipe& recipe = {}) {
    const Analyzed a = analyzed(recipe);
    models = a.models;
    errors = a.errors();
    harm = a.harm();
    for (ResultError& result : errors.results) result.channels = {0.0};
  }
  LayerHarm& layer(std::size_t i) { return harm.layers[i]; }
  // The parts of layer `i` do this harm, in the order of LayerHarm.
  void does(std::size_t i, double weights, double activation, double bias, double requantization) {
    layer(i) = {{0.5, {}}, {weights, {}}, {activation, {}}, {bias, {}}, {requantization, {}}};
  }
  RankedLayer advice_for(std::size_t i) const {
    for (const RankedLayer& ranked : rank_layers(models, errors, harm))
      if (ranked.layer == i) return ranked;
    return {};
  }
  Remedy remedy_for(std::size_t i) const { return advice_for(i).advice.at(0).remedy; }
};

TEST(Ranking, FindsTheLayerThatWasMadeBad) {
  for (std::size_t bad = 0; bad < 3; ++bad) {
    quant::Recipe recipe = weights_of(8);
    quant::WeightRecipe coarse = recipe.weights;
    coarse.format.bits = 2;
    recipe.layers = {{std::vector<std::string>{"conv1", "conv2", "scores"}[bad], coarse}};
    const Measured m(recipe);
    const auto ranked = rank_layers(m.models, m.errors, m.harm);
    ASSERT_EQ(ranked.size(), 3U);
    EXPECT_EQ(ranked[0].layer, bad);
    EXPECT_EQ(ranked[0].worst, Part::weights);
    EXPECT_EQ(ranked[0].advice.at(0).remedy, Remedy::clip_weights);
  }
}

TEST(Ranking, SaysNothingOfHarmThatIsNegligible) {
  Measured m;
  m.layer(1).whole.output_error = 0.009;
  EXPECT_EQ(m.remedy_for(1), Remedy::nothing);
}

TEST(Advice, ForWeightsFollowsHowTheyWereMade) {
  Measured tensor(weights_of(4, numeric::Granularity::tensor));
  tensor.does(1, 0.4, 0.1, 0.0, 0.1);
  EXPECT_EQ(tensor.remedy_for(1), Remedy::channel_scales);
  Measured channel(weights_of(4));
  channel.does(1, 0.4, 0.1, 0.0, 0.1);
  EXPECT_EQ(channel.remedy_for(1), Remedy::clip_weights);
  channel.errors.weights[1].saturated = 3;
  EXPECT_EQ(channel.remedy_for(1), Remedy::round_by_results);
  std::vector<std::int32_t> q = numeric::to_int32(channel.models.layers[1].integers);
  q[5] += q[5] < 3 ? 1 : -1;
  Tensor& integers = channel.models.layers[1].integers;
  integers = numeric::from_int32(integers.shape(), q, integers.dtype());
  const Advice more = channel.advice_for(1).advice.at(0);
  EXPECT_EQ(more.remedy, Remedy::more_weight_bits);
  EXPECT_EQ(more.weight_bits, 8);
  EXPECT_EQ(more.activation_bits, 8);
  EXPECT_FALSE(more.first_last);
  channel.models.layers[1].bits = 8;
  EXPECT_EQ(channel.remedy_for(1), Remedy::nothing);
}

TEST(Advice, ForFewBitsAtTheEndsIsThoseBitsToo) {
  Measured m(weights_of(4));
  m.does(0, 0.4, 0.1, 0.0, 0.1);
  m.does(1, 0.4, 0.1, 0.0, 0.1);
  EXPECT_EQ(m.advice_for(1).advice.size(), 1U);
  const auto advice = m.advice_for(0).advice;
  ASSERT_EQ(advice.size(), 2U);
  EXPECT_EQ(advice[1].remedy, Remedy::more_weight_bits);
  EXPECT_TRUE(advice[1].first_last);
}

TEST(Advice, ForActivationsFollowsTheirRange) {
  Measured m;
  m.does(2, 0.1, 0.4, 0.0, 0.1);
  TensorError& input = m.errors.activations[*m.models.layers[2].input];
  input.seen = {};
  input.seen.observe(std::vector<float>{-1.0F, 1.0F});  // 1/3 of three sigma
  EXPECT_EQ(m.remedy_for(2), Remedy::more_activation_bits);
  EXPECT_EQ(m.advice_for(2).advice[0].activation_bits, 16);
  EXPECT_TRUE(m.advice_for(2).advice[0].first_last);
  std::vector<float> tailed(1000, 0.1F);
  tailed.push_back(50.0F);
  input.seen.observe(tailed);
  EXPECT_EQ(m.remedy_for(2), Remedy::narrower_activations);
  input.used = 2.5;  // of a clipped one
  EXPECT_EQ(m.remedy_for(2), Remedy::more_activation_bits);
  input.saturated = input.signal.count / 50;
  input.own = 1.0;
  input.clipped = 0.9;
  EXPECT_EQ(m.remedy_for(2), Remedy::wider_activations);
  input.clipped = 0.1;
  EXPECT_EQ(m.remedy_for(2), Remedy::more_activation_bits);
}

TEST(Advice, ForRequantizationLooksAtTheOutput) {
  Measured m;
  m.does(1, 0.1, 0.1, 0.0, 0.4);
  TensorError& output = m.errors.activations[*m.models.layers[1].output];
  output.saturated = output.signal.count;
  output.own = output.clipped = 1.0;
  EXPECT_EQ(m.advice_for(1).worst, Part::requantization);
  EXPECT_EQ(m.remedy_for(1), Remedy::wider_activations);
}

TEST(Advice, ForMeanErrorsIsToCorrectTheBiasUnlessItWas) {
  Measured m;
  m.does(1, 0.1, 0.1, 0.4, 0.1);
  EXPECT_EQ(m.remedy_for(1), Remedy::correct_bias);
  m.does(1, 0.4, 0.1, 0.0, 0.1);
  ResultError& result = m.errors.results[1];
  result.signal.count = 4;
  result.signal.dd = 1.0;
  result.channels = {1.0, 1.0};
  ASSERT_EQ(m.advice_for(1).advice.size(), 2U);
  EXPECT_EQ(m.advice_for(1).advice[1].remedy, Remedy::correct_bias);
  m.models.layers[1].bias->mutable_data<float>()[0] += 0.1F;
  EXPECT_EQ(m.advice_for(1).advice.size(), 1U);
  m.does(1, 0.2, 0.1, 0.4, 0.1);
  EXPECT_EQ(m.advice_for(1).worst, Part::weights);
  m.does(1, 0.0, 0.0, 0.4, 0.0);  // all that there is was meant
  EXPECT_EQ(m.advice_for(1).worst, Part::bias);
  EXPECT_EQ(m.remedy_for(1), Remedy::nothing);
}

}  // namespace
}  // namespace halftone::analysis
