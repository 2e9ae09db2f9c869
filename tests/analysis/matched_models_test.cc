// A float network and what was made of it go together; anything else is refused by name.
#include "halftone/analysis/matched_models.h"

#include "halftone/ptq/float_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/lower/qoperators.h"
#include "tests/analysis/analyzed.h"
#include "tests/base/message_of.h"

namespace halftone::analysis {
namespace {

using testing::HasSubstr;

template <typename T>
std::vector<std::string> names_of(const std::vector<T>& all) {
  std::vector<std::string> names;
  for (const T& each : all) names.push_back(each.name);
  return names;
}

TEST(Match, FindsEveryLayerAndEveryQuantizedValue) {
  const MatchedModels models = analyzed().models;
  EXPECT_EQ(names_of(models.layers), (std::vector<std::string>{"conv1", "conv2", "scores"}));
  EXPECT_EQ(names_of(models.activations), (std::vector<std::string>{"x", "relu1", "conv2", "sum", "pool",
                                                                    "tanh", "mean", "flat", "scores"}));
  const auto name = [&](const std::optional<std::size_t>& i) {
    return models.activations.at(i.value()).name;
  };
  EXPECT_EQ(name(models.layers[0].input), "x");
  EXPECT_EQ(name(models.layers[0].output), "relu1");
  EXPECT_EQ(name(models.layers[1].input), "relu1");
  EXPECT_EQ(name(models.layers[1].output), "conv2");
  EXPECT_EQ(name(models.layers[2].output), "scores");
}

TEST(Match, SeesTheBitsThatTheIntegersNeed) {
  for (int bits : {2, 3, 4, 8}) {
    quant::Recipe recipe;
    recipe.weights.format.bits = bits;
    for (const MatchedLayer& layer : analyzed(recipe, 8).models.layers) EXPECT_EQ(layer.bits, bits);
  }
  quant::Recipe binary;
  binary.weights.code = quant::WeightCode::binary;
  for (const MatchedLayer& layer : analyzed(binary, 8).models.layers) EXPECT_EQ(layer.bits, 1);
}

TEST(Match, KeepsFloatWhatStaysFloat) {
  quant::Recipe recipe;
  recipe.weight_only = true;
  const MatchedModels models = analyzed(recipe, 8).models;
  EXPECT_TRUE(models.activations.empty());
  ASSERT_EQ(models.layers.size(), 3U);
  EXPECT_FALSE(models.layers[0].input || models.layers[0].output);
}

TEST(Match, TakesBiasesThatWereGivenToBeCorrected) {
  Analyzed a{.real = float_network()};
  a.real.nodes.back().inputs.resize(2);
  const ir::Graph given = passes::give_biases(a.real);
  a.quantized = quant::quantize(given, quant::ranges_on(given, samples(8, {1, 6, 6}).images), {}).graph;
  EXPECT_TRUE(match(a.real, a.quantized).layers[2].bias);
  a.quantized = quant::quantize(a.real, quant::ranges_on(a.real, samples(8, {1, 6, 6}).images), {}).graph;
  EXPECT_FALSE(match(a.real, a.quantized).layers[2].bias);
}

TEST(Match, RefusesTwoThatDoNotBelongTogether) {
  const Analyzed a = analyzed({}, 8);
  const auto says = [&](const ir::Graph& real, const ir::Graph& quantized) {
    return message_of<InputError>([&] { match(real, quantized); });
  };
  EXPECT_THAT(says(a.real, a.real), HasSubstr("got no linear layer with integer weights"));
  EXPECT_THAT(says(a.quantized, a.quantized), HasSubstr("float model, got a quantized one"));
  ir::Graph other = a.real;
  other.nodes[2].name = "renamed";
  EXPECT_THAT(says(other, a.quantized), HasSubstr("Conv 'renamed' -> 'conv2', got Conv 'conv2'"));
  other = a.real;
  other.value(other.nodes[3].outputs[0]).name = "total";
  EXPECT_THAT(says(other, a.quantized), HasSubstr("quantized value 'sum_quantized', got no value"));
  other = a.real;
  other.value(*other.find("w2")).constant = ir::random_floats({4, 4, 3, 3}, 99);
  EXPECT_THAT(says(other, a.quantized), HasSubstr("that are not its weights rounded"));
  other = a.real;
  other.nodes[5].op = ir::Sigmoid{};
  EXPECT_THAT(says(other, a.quantized), HasSubstr("Sigmoid 'tanh' -> 'tanh', got Tanh 'tanh'"));
  ir::Graph smoothed = a.quantized;
  smoothed.metadata[ptq::kChangedKey] = "smooth 0.5";
  EXPECT_THAT(says(a.real, smoothed), HasSubstr("the one changed by smooth 0.5 that the quantized one was made of"));
  other = a.real;
  other.metadata[ptq::kChangedKey] = "smooth 0.5";
  EXPECT_NO_THROW(match(other, smoothed));
  EXPECT_THAT(says(other, a.quantized), HasSubstr("got one changed by smooth 0.5"));
  other = a.real;
  other.value(other.inputs[0]).name = "y";
  EXPECT_THAT(says(other, a.quantized), HasSubstr("input 0 of the quantized model, got 'x' Nx1x6x6"));
}

TEST(Match, RefusesOperatorsOnIntegers) {
  const Analyzed a = analyzed({}, 8);
  EXPECT_THROW(match(a.real, lower::with_integer_operators(a.quantized)), UnsupportedError);
  EXPECT_THROW(match(a.real, lower::with_quant_nodes(a.quantized)), UnsupportedError);
}

}  // namespace
}  // namespace halftone::analysis
