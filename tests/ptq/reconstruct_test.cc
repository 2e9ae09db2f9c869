// Methods that look at what a layer computes.
#include "halftone/ptq/reconstruct.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/ir/interpreter.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/lower/lower.h"
#include "tests/calibration/channels.h"
#include "tests/quant/network.h"

namespace halftone::ptq {
namespace {

// Rows whose numbers hang together, as pixels do.
Tensor samples_of(std::int64_t rows, std::uint64_t seed) {
  Tensor x = ir::random_floats({rows, 1, 4, 4}, seed);
  auto values = x.mutable_data<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (i % 16 != 0) values[i] = 0.25F * values[i] + 0.75F * values[i - 1];
  return x;
}

quant::Parameters parameters_of(const ir::Graph& graph, const quant::Recipe& recipe, int threads = 1) {
  const Tensor samples = samples_of(200, 9);
  quant::Parameters parameters =
      quant::choose_parameters(graph, quant::choose_ranges(graph, quant::statistics_of(graph, samples), recipe), recipe);
  if (reconstructs(recipe))
    reconstruct(graph, parameters, recipe, {calibration::source_of(samples), {.threads = threads}, calibration::interpreter_of});
  return parameters;
}

double output_error(const ir::Graph& graph, const quant::Recipe& recipe) {
  const Tensor x = samples_of(100, 10);
  const Tensor real = ir::run(graph, {x});
  const ir::Graph quantized = quant::quantize(graph, parameters_of(graph, recipe), recipe.arithmetic).graph;
  const Tensor mine = recipe.weight_only ? ir::run(quantized, {x})
                                         : qgraph::Interpreter(lower::lower(quantized)).run({&x, 1}).at(0);
  double sum = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(real.size()); ++i)
    sum += std::pow(double{real.data<float>()[i]} - mine.data<float>()[i], 2);
  return sum;
}

quant::Recipe coarse(quant::WeightRounding rounding, bool weight_only) {
  quant::Recipe recipe{.weight_only = weight_only, .adaround_steps = 300};
  recipe.weights.format.bits = 3;
  recipe.weights.rounding = rounding;
  return recipe;
}

TEST(Reconstruct, EveryMethodLosesLessThanNearest) {
  const ir::Graph g = quant::conv_network();
  for (bool weight_only : {false, true}) {
    const double nearest = output_error(g, coarse(quant::WeightRounding::nearest, weight_only));
    for (quant::WeightRounding rounding : {quant::WeightRounding::adaround, quant::WeightRounding::error_feedback})
      EXPECT_LT(output_error(g, coarse(rounding, weight_only)), 0.7 * nearest) << weight_only;
  }
}

TEST(Reconstruct, EveryMethodLosesLessThanNearestByGroup) {
  const ir::Graph g = quant::conv_network();
  for (bool weight_only : {false, true}) {
    const auto by_group = [&](quant::WeightRounding rounding) {
      quant::Recipe recipe = coarse(rounding, weight_only);
      recipe.weights.format.bits = 2;
      recipe.weights.granularity = numeric::Granularity::group;
      recipe.weights.group_size = 2;
      return output_error(g, recipe);
    };
    for (quant::WeightRounding rounding : {quant::WeightRounding::adaround, quant::WeightRounding::error_feedback})
      EXPECT_LT(by_group(rounding), 0.7 * by_group(quant::WeightRounding::nearest)) << weight_only;
  }
}

TEST(Reconstruct, IsTheSameForAnyThreads) {
  const ir::Graph g = quant::conv_network();
  for (quant::WeightRounding rounding : {quant::WeightRounding::adaround, quant::WeightRounding::error_feedback}) {
    quant::Recipe recipe = coarse(rounding, false);
    recipe.correct_bias = quant::BiasCorrection::measured;
    EXPECT_EQ(parameters_of(g, recipe, 1).weights, parameters_of(g, recipe, 2).weights);
  }
}

TEST(Reconstruct, CodesStayCodes) {
  const ir::Graph g = quant::conv_network();
  for (quant::WeightCode code : {quant::WeightCode::binary, quant::WeightCode::ternary}) {
    quant::Recipe recipe = coarse(quant::WeightRounding::error_feedback, false);
    recipe.weights.code = code;
    const quant::Parameters parameters = parameters_of(g, recipe);
    for (const auto& weights : parameters.weights) {
      if (!weights) continue;
      for (std::int32_t q : numeric::to_int32(weights->q))
        EXPECT_TRUE(q == 1 || q == -1 || (code == quant::WeightCode::ternary && q == 0)) << q;
    }
    quant::Recipe nearest = recipe;
    nearest.weights.rounding = quant::WeightRounding::nearest;
    EXPECT_LT(output_error(g, recipe), output_error(g, nearest));
  }
}

TEST(Reconstruct, PowersOfTwoStay) {
  quant::Recipe recipe = coarse(quant::WeightRounding::error_feedback, false);
  recipe.arithmetic.mode = numeric::Arithmetic::shift;
  quant::use_powers_of_two(recipe);
  for (const auto& weights : parameters_of(quant::conv_network(), recipe).weights) {
    if (!weights) continue;
    for (const numeric::Affine& affine : weights->params.affine)
      EXPECT_TRUE(numeric::is_power_of_two(affine.scale));
  }
}

TEST(Reconstruct, FixedScalesStay) {
  quant::Recipe recipe = coarse(quant::WeightRounding::error_feedback, false);
  recipe.weights.range = quant::WeightRange::fixed;
  recipe.weights.fraction_length = 2;
  for (const auto& weights : parameters_of(quant::conv_network(), recipe).weights) {
    if (!weights) continue;
    for (const numeric::Affine& affine : weights->params.affine) EXPECT_EQ(affine.scale, 0.25F);
  }
}

TEST(Reconstruct, SaysWhichLayerTakesWhatNoSquareHolds) {
  const ir::Graph g = quant::conv_network();
  Tensor samples = samples_of(40, 9);
  for (float& v : samples.mutable_data<float>()) v *= 1e30F;
  for (quant::WeightRounding rounding : {quant::WeightRounding::adaround, quant::WeightRounding::error_feedback}) {
    const quant::Recipe recipe = coarse(rounding, true);
    quant::Parameters parameters = quant::choose_parameters(g, {}, recipe);
    try {
      reconstruct(g, parameters, recipe, {calibration::source_of(samples), {}, calibration::interpreter_of});
      ADD_FAILURE() << "nothing was thrown";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("squares are not finite"));
    }
  }
}

// E[y − ŷ] of the last layer, by channel, with the corrected bias.
TEST(CorrectBias, LeavesNoMeanErrorBeyondARounding) {
  const ir::Graph g = quant::conv_network();
  quant::Recipe recipe = coarse(quant::WeightRounding::nearest, false);
  recipe.correct_bias = quant::BiasCorrection::measured;
  const Tensor x = samples_of(200, 9);  // the samples it was corrected on
  const ir::Graph quantized = quant::quantize(g, parameters_of(g, recipe), recipe.arithmetic).graph;
  const Tensor real = ir::run(g, {x});
  const Tensor mine = ir::run(quantized, {x});
  const double step = quant::grid_of(quantized, "scores").scale;
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0.0;
    for (std::size_t i = c; i < 600; i += 3) sum += double{real.data<float>()[i]} - mine.data<float>()[i];
    // Clipping and rounding of the result come after the bias: some of a step remains.
    EXPECT_LT(std::abs(sum / 200.0), 0.5 * step) << c;
  }
  recipe.correct_bias = quant::BiasCorrection::none;
  const Tensor uncorrected =
      ir::run(quant::quantize(g, parameters_of(g, recipe), recipe.arithmetic).graph, {x});
  double largest = 0.0;
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0.0;
    for (std::size_t i = c; i < 600; i += 3) sum += double{real.data<float>()[i]} - uncorrected.data<float>()[i];
    largest = std::max(largest, std::abs(sum / 200.0));
  }
  EXPECT_GT(largest, 2.0 * step);
}

TEST(CorrectBias, OfAConvTransposeIsByItsOutputChannels) {
  using namespace ir;
  Graph g;
  const ValueId x = g.add_input("x", DType::float32, {kDynamic, 2, 3, 3});
  g.outputs = {g.add_node(ConvTranspose{}, {x, g.add_constant("w", random_floats({2, 4, 2, 2}, 1)), g.add_constant("b", random_floats({4}, 2))}, "y")};
  Tensor samples = random_floats({160, 2, 3, 3}, 3);
  for (float& v : samples.mutable_data<float>()) v = std::fabs(v);
  quant::Recipe recipe = coarse(quant::WeightRounding::nearest, true);
  recipe.weights.format.bits = 2;
  recipe.correct_bias = quant::BiasCorrection::measured;
  quant::Parameters parameters = quant::choose_parameters(g, {}, recipe);
  reconstruct(g, parameters, recipe, {calibration::source_of(samples), {}, calibration::interpreter_of});
  const Tensor real = ir::run(g, {samples});
  const Tensor mine = ir::run(quant::quantize(g, parameters, recipe.arithmetic).graph, {samples});
  for (std::size_t c = 0; c < 4; ++c) {
    double sum = 0.0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(real.size()); ++i)
      if (i / 16 % 4 == c) sum += double{real.data<float>()[i]} - mine.data<float>()[i];
    EXPECT_NEAR(sum / (160.0 * 16.0), 0.0, 1e-4) << c;
  }
}

TEST(CorrectBias, OfWeightsAloneIsWrittenAsFloat) {
  const ir::Graph g = quant::conv_network();
  quant::Recipe recipe = coarse(quant::WeightRounding::nearest, true);
  recipe.correct_bias = quant::BiasCorrection::measured;
  const ir::Graph quantized = quant::quantize(g, parameters_of(g, recipe), recipe.arithmetic).graph;
  EXPECT_FALSE(quant::constant_of(quantized, "b") == quant::constant_of(g, "b"));
  EXPECT_LT(output_error(g, recipe), output_error(g, coarse(quant::WeightRounding::nearest, true)));
}

TEST(Reconstruct, AlternativesAreWhatTheLayerWouldHaveAndChangeNothing) {
  const ir::Graph graph = quant::conv_network();
  quant::Recipe recipe = coarse(quant::WeightRounding::error_feedback, false);
  recipe.correct_bias = quant::BiasCorrection::measured;
  const Tensor samples = samples_of(200, 9);
  const quant::RangeTable ranges = quant::choose_ranges(graph, quant::statistics_of(graph, samples), recipe);
  const quant::Parameters nearest = quant::choose_parameters(graph, ranges, recipe);
  std::vector<Alternative> alternatives;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (nearest.weights[n]) alternatives.push_back({n, recipe.weights, *nearest.weights[n]});
  quant::Parameters parameters = nearest;
  reconstruct(graph, parameters, recipe, {calibration::source_of(samples), {}, calibration::interpreter_of}, alternatives);
  const quant::Parameters without = parameters_of(graph, recipe);
  for (const Alternative& alternative : alternatives)
    EXPECT_EQ(alternative.weights, *parameters.weights[alternative.node]);
  EXPECT_EQ(parameters.weights, without.weights);
}

}  // namespace
}  // namespace halftone::ptq
