// The graph with pairs: where they stand, what they say, and that lower makes integers of it.
#include "halftone/quant/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/onnx_io/load.h"
#include "halftone/onnx_io/save.h"
#include "halftone/qgraph/interpreter.h"
#include "halftone/lower/lower.h"
#include "tests/quant/network.h"

namespace halftone::quant {
namespace {

using numeric::Granularity;
using numeric::Scheme;
using testing::HasSubstr;

std::vector<Recipe> recipes() {
  std::vector<Recipe> result;
  for (Granularity granularity : {Granularity::tensor, Granularity::channel, Granularity::group})
    for (Scheme weights : {Scheme::symmetric, Scheme::asymmetric})
      for (Scheme activations : {Scheme::symmetric, Scheme::asymmetric})
        for (bool power_of_two : {false, true}) {
          Recipe recipe{.weights = {.format = {8, true, weights == Scheme::symmetric},
                                    .scheme = weights,
                                    .power_of_two = power_of_two,
                                    .granularity = granularity,
                                    .group_size = granularity == Granularity::group ? 3 : 0},
                        .activations = {.scheme = activations, .power_of_two = power_of_two}};
          recipe.arithmetic.mode = power_of_two ? numeric::Arithmetic::shift : numeric::Arithmetic::fixed;
          result.push_back(recipe);
        }
  Recipe uint8;
  uint8.activations.format = {8, false, false};
  result.push_back(uint8);
  Recipe onnx;
  onnx.arithmetic.mode = numeric::Arithmetic::onnx;
  result.push_back(onnx);
  return result;
}

// A file holds a table and places in it; the layer that is read from it does too, and multiplies the table's entries.
TEST(Quantize, WeightsOfACodebookKeepTheirTable) {
  const ir::Graph g = conv_network();
  for (WeightCode code : {WeightCode::k_means, WeightCode::log2}) {
    Recipe recipe;
    recipe.weights.code = code;
    recipe.weights.format.bits = 3;
    const ir::Graph pairs = quantize(g, ranges_of(g), recipe).graph;
    int layers = 0;
    for (const qgraph::Node& node : lower::lower(pairs).nodes) {
      const qgraph::Linear* linear = qgraph::linear_of(node.op);
      if (linear == nullptr) continue;
      ++layers;
      const std::string weights = linear->channels == 2 ? "w" : "v";
      ASSERT_FALSE(linear->codebook.empty());
      EXPECT_EQ(linear->codebook, numeric::to_int32(constant_of(pairs, weights + "_codebook")));
      const std::vector<std::int32_t> places = numeric::to_int32(constant_of(pairs, weights + "_index"));
      const std::vector<std::int32_t> w = centred_weights(*linear);
      for (std::size_t i = 0; i < w.size(); ++i) {  // v is [K, M] in the file
        const std::size_t at = weights == "w" ? i : i % 8 * 3 + i / 8;
        ASSERT_EQ(w[i], linear->codebook.at(static_cast<std::size_t>(places[at]))) << weights << i;
      }
    }
    EXPECT_EQ(layers, 2);
  }
}

// Groups of 2 of 5 input channels: three scales an output channel, each for all nine taps of its channels.
TEST(Quantize, WeightsByGroupAreBlocksInTheFile) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 5, 4, 4});
  const Tensor weights = ir::random_floats({4, 5, 3, 3}, 1);
  g.outputs = {g.add_node(ir::Conv{{.pads = {1, 1, 1, 1}}},
                          {x, g.add_constant("w", weights), g.add_constant("b", ir::random_floats({4}, 2))}, "y")};
  Recipe recipe;
  recipe.weights.granularity = Granularity::group;
  recipe.weights.group_size = 2;
  const std::string file = onnx_io::serialize_model(quantize(g, ranges_of(g), recipe).graph);
  const ir::Graph read = onnx_io::parse_model(std::as_bytes(std::span(file)), "groups");
  const auto& op = std::get<ir::DequantizeLinear>(node_of(read, "w_dequantized")->op);
  EXPECT_EQ(op, (ir::DequantizeLinear{.axis = 1, .block_size = 2}));
  const Tensor& scales = constant_of(read, "w_scale");
  ASSERT_EQ(scales.shape(), (Shape{4, 3, 3, 3}));
  const qgraph::QuantizedGraph lowered = lower::lower(read);
  const qgraph::Linear& linear = std::get<qgraph::Conv>(lowered.nodes.at(1).op).linear;
  EXPECT_EQ(linear.group_size, 18);
  ASSERT_EQ(linear.w_params.affine.size(), 12U);
  for (std::int64_t m = 0; m < 4; ++m)
    for (std::int64_t block = 0; block < 3; ++block) {
      float most = 0.0F;
      for (std::int64_t i = block * 18; i < std::min<std::int64_t>(block * 18 + 18, 45); ++i)
        most = std::max(most, std::fabs(weights.data<float>()[static_cast<std::size_t>(m * 45 + i)]));
      const auto place = static_cast<std::size_t>(m * 3 + block);
      EXPECT_EQ(linear.w_params.affine[place].scale, most / 127.0F);
      for (std::size_t tap = 0; tap < 9; ++tap) EXPECT_EQ(scales.data<float>()[place * 9 + tap], most / 127.0F);
    }
}

// Activations of any bits, biases of few, and every rounding: the file holds them all, and lower finds them again.
TEST(Quantize, BitsOfActivationsAndBiasesAndTheRoundingSurviveTheFile) {
  const ir::Graph g = conv_network();
  const RangeTable ranges = ranges_of(g);
  const Tensor x = ir::random_floats({20, 1, 4, 4}, 9);
  for (int bits : {1, 3, 5, 7, 9, 12, 15})
    for (int bias_bits : {2, 5, 8, 12, 16, 32})
      for (auto rounding : {numeric::Rounding::half_even, numeric::Rounding::half_away, numeric::Rounding::half_up})
        for (Granularity granularity : {Granularity::tensor, Granularity::channel}) {
          Recipe recipe;
          recipe.activations.format.bits = bits;
          recipe.weights.bias_bits = bias_bits;
          recipe.weights.granularity = granularity;
          recipe.arithmetic.rounding = rounding;
          const std::string file = onnx_io::serialize_model(quantize(g, ranges, recipe).graph);
          const ir::Graph read = onnx_io::parse_model(std::as_bytes(std::span(file)), "bits");
          const qgraph::QuantizedGraph integers = lower::lower(read);
          EXPECT_TRUE(integers.integer_only());
          EXPECT_EQ(integers.arithmetic, recipe.arithmetic);
          for (const qgraph::Value& value : integers.values)
            EXPECT_EQ(value.grid ? value.grid->format.bits : bits, bits) << value.name;
          const auto& conv = std::get<qgraph::Conv>(integers.nodes.at(1).op);
          for (std::int64_t b : conv.linear.bias)
            EXPECT_EQ(b % (std::int64_t{1} << bias_shift(b, bias_bits)), 0) << bias_bits;
          const Tensor simulated = ir::run(read, {x});
          const Tensor integer = qgraph::Interpreter(integers).run({&x, 1}).at(0);
          const double step = grid_of(read, "scores").scale;
          for (std::size_t i = 0; i < static_cast<std::size_t>(integer.size()); ++i)
            EXPECT_NEAR(simulated.data<float>()[i], integer.data<float>()[i], 1.001 * step)
                << bits << " " << bias_bits << " " << numeric::name_of(rounding);
        }
}

TEST(Quantize, EveryRecipeLowersToIntegersAloneAndStaysNearTheFloats) {
  const ir::Graph g = conv_network();
  const RangeTable ranges = ranges_of(g);
  const Tensor x = ir::random_floats({20, 1, 4, 4}, 9);
  const Tensor real = ir::run(g, {x});
  const numeric::Range scores = ranges.at("scores");
  for (const Recipe& recipe : recipes()) {
    const ir::Graph quantized = quantize(g, ranges, recipe).graph;
    EXPECT_NO_THROW(ir::check(quantized)) << describe(recipe);
    const qgraph::QuantizedGraph integers = lower::lower(quantized);
    EXPECT_TRUE(integers.integer_only()) << describe(recipe);
    const Tensor simulated = ir::run(quantized, {x});
    const Tensor integer = qgraph::Interpreter(integers).run({&x, 1}).at(0);
    const double step = grid_of(quantized, "scores").scale;
    for (std::size_t i = 0; i < static_cast<std::size_t>(real.size()); ++i) {
      EXPECT_NEAR(simulated.data<float>()[i], integer.data<float>()[i], 1.001 * step) << describe(recipe);
      // Eight bits and four roundings keep within a tenth of the range; power-of-two scales are up to twice
      // as coarse.
      EXPECT_NEAR(simulated.data<float>()[i], real.data<float>()[i], 0.1 * (scores.hi - scores.lo))
          << describe(recipe);
    }
  }
}

TEST(Quantize, TwiceGivesTheSameBytes) {
  const ir::Graph g = conv_network();
  for (const Recipe& recipe : recipes()) {
    const std::string once = onnx_io::serialize_model(quantize(g, ranges_of(g), recipe).graph);
    EXPECT_EQ(onnx_io::serialize_model(quantize(conv_network(), ranges_of(g), recipe).graph), once);
    EXPECT_EQ(onnx_io::serialize_model(onnx_io::parse_model(std::as_bytes(std::span(once)), "test")), once);
  }
}

TEST(Quantize, PairsStandWhereTheIntegersAre) {
  const ir::Graph g = conv_network();
  const ir::Graph q = quantize(g, ranges_of(g), {}).graph;
  for (const char* name : {"x", "relu", "pool", "flat", "scores"})
    EXPECT_TRUE(q.find(std::string(name) + "_quantized")) << name;
  EXPECT_FALSE(q.find("conv_quantized"));  // nothing between a sum and its ReLU
  EXPECT_TRUE(std::holds_alternative<ir::Conv>(node_of(q, "conv")->op));
  EXPECT_EQ(node_of(q, "relu")->inputs[0], *q.find("conv"));
}

TEST(Quantize, MovesShareTheirInputsScale) {
  const ir::Graph g = conv_network();
  RangeTable ranges = ranges_of(g);
  ranges["pool"] = {-1000.0, 1000.0};  // has no say
  const ir::Graph q = quantize(g, ranges, {}).graph;
  EXPECT_EQ(grid_of(q, "pool"), grid_of(q, "relu"));
  EXPECT_EQ(grid_of(q, "flat"), grid_of(q, "relu"));
  const qgraph::QuantizedGraph integers = lower::lower(q);
  EXPECT_TRUE(std::ranges::none_of(integers.nodes, [](const qgraph::Node& n) {
    return std::holds_alternative<qgraph::Requantize>(n.op);
  }));
}

TEST(Quantize, TheScaleOfAConcatIsThatOfTheUnionOfRanges) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  const ir::ValueId y = g.add_input("y", DType::float32, {kDynamic, 3});
  const ir::ValueId joined = g.add_node(ir::Concat{1}, {x, y}, "joined");
  g.outputs = {g.add_node(ir::Tanh{}, {joined}, "t")};
  const RangeTable ranges{
      {"x", {-1.0, 2.0}}, {"y", {-3.0, 0.5}}, {"joined", {-2.5, 1.5}}, {"t", {-1.0, 1.0}}};
  const Recipe recipe;
  const ir::Graph quantized = quantize(g, ranges, recipe).graph;
  const numeric::Affine expected = numeric::affine_from_range({-3.0, 2.0}, recipe.activations.format,
                                                              recipe.activations.scheme, recipe.activations.power_of_two);
  for (const char* name : {"x", "y", "joined"}) EXPECT_EQ(grid_of(quantized, name), expected) << name;
  const qgraph::QuantizedGraph integers = lower::lower(quantized);
  EXPECT_TRUE(integers.integer_only());
  for (const qgraph::Node& node : integers.nodes)
    EXPECT_FALSE(std::holds_alternative<qgraph::Requantize>(node.op)) << node.name;
  RangeTable fewer = ranges;
  fewer.erase("y");
  EXPECT_THROW(quantize(g, fewer, recipe), InputError);
}

TEST(Quantize, ActivationGridsAreTheFormulaOfTheRange) {
  const ir::Graph g = conv_network();
  const RangeTable ranges = ranges_of(g);
  for (const Recipe& recipe : recipes()) {
    const ir::Graph q = quantize(g, ranges, recipe).graph;
    for (const char* name : {"x", "relu", "scores"})
      EXPECT_EQ(grid_of(q, name), numeric::affine_from_range(ranges.at(name), recipe.activations.format,
                                                             recipe.activations.scheme, recipe.activations.power_of_two))
          << name;
  }
}

TEST(Quantize, PowerOfTwoMakesEveryScaleOne) {
  const ir::Graph g = conv_network();
  Recipe recipe;
  use_powers_of_two(recipe);
  const ir::Graph q = quantize(g, ranges_of(g), recipe).graph;
  int scales = 0;
  for (const ir::Value& value : q.values)
    if (value.constant && value.name.ends_with("_scale"))
      for (float s : value.constant->data<float>()) {
        EXPECT_TRUE(numeric::is_power_of_two(s)) << value.name;
        ++scales;
      }
  EXPECT_EQ(scales, 5 + 2 * 2 + 2 * 3);
}

TEST(Quantize, GranularityIsThatOfTheRecipe) {
  const ir::Graph g = conv_network();
  Recipe tensor;
  tensor.weights.granularity = Granularity::tensor;
  EXPECT_EQ(constant_of(quantize(g, ranges_of(g), tensor).graph, "w_scale").shape(), Shape{});
  const ir::Graph channel = quantize(g, ranges_of(g), {}).graph;
  EXPECT_EQ(constant_of(channel, "w_scale").shape(), Shape{2});
  EXPECT_EQ(constant_of(channel, "v_scale").shape(), Shape{3});  // [K, M]: the channels are last
  EXPECT_EQ(std::get<ir::DequantizeLinear>(node_of(channel, "v_dequantized")->op).axis, 1);
}

TEST(Quantize, BiasScaleIsInputTimesWeightScale) {
  const ir::Graph g = conv_network();
  const ir::Graph q = quantize(g, ranges_of(g), {}).graph;
  const auto s_w = ir::values_of<float>(constant_of(q, "w_scale"));
  const auto s_b = ir::values_of<float>(constant_of(q, "b_scale"));
  ASSERT_EQ(s_b.size(), 2u);
  for (std::size_t c = 0; c < 2; ++c) EXPECT_EQ(s_b[c], grid_of(q, "x").scale * s_w[c]);
  EXPECT_EQ(constant_of(q, "b_quantized").dtype(), DType::int32);
}

TEST(Quantize, InputsOutputsAndMetadataStay) {
  const ir::Graph g = conv_network();
  const ir::Graph q = quantize(g, ranges_of(g), {}).graph;
  EXPECT_EQ(q.value(q.inputs.at(0)).name, "x");
  EXPECT_EQ(q.value(q.outputs.at(0)).name, "scores");
  EXPECT_EQ(q.value(q.outputs.at(0)).dtype, DType::float32);
  EXPECT_EQ(q.metadata.at("halftone.preprocessing"), "mnist");
  EXPECT_EQ(numeric::read_arithmetic(q.metadata), numeric::ArithmeticSpec{});
  const qgraph::QuantizedGraph integers = lower::lower(q);
  EXPECT_EQ(integers.value(integers.outputs.at(0)).name, "scores");
}

TEST(Quantize, AnOutputThatIsReadInsideKeepsItsName) {
  ir::Graph g = conv_network();
  g.outputs.push_back(*g.find("relu"));
  const ir::Graph q = quantize(g, ranges_of(g), {}).graph;
  EXPECT_EQ(q.value(q.outputs.at(1)).name, "relu");
  ir::check(q);
  EXPECT_TRUE(lower::lower(q).integer_only());
}

TEST(Quantize, OutputsThatAreInputsOrConstantsAreWellFormed) {
  ir::Graph input = conv_network();
  input.outputs.push_back(input.inputs[0]);
  const ir::Graph q = quantize(input, ranges_of(input), {}).graph;
  ir::check(q);
  EXPECT_EQ(q.outputs.size(), 2u);
  ir::Graph constant = conv_network();
  constant.outputs.push_back(*constant.find("b"));
  EXPECT_NO_THROW(ir::check(quantize(constant, ranges_of(constant), {}).graph));
}

TEST(Quantize, WhatHasNoIntegerFormStaysFloat) {
  ir::Graph g = conv_network();
  g.outputs = {g.add_node(ir::Softmax{}, {g.outputs[0]}, "probabilities")};
  const ir::Graph q = quantize(g, ranges_of(g), {}).graph;
  EXPECT_FALSE(q.find("probabilities_quantized"));
  EXPECT_EQ(q.value(q.outputs[0]).name, "probabilities");
  const qgraph::Work work = qgraph::count_work(lower::lower(q));
  EXPECT_EQ(work.float_nodes, 1);
}

TEST(Quantize, ABiasThatOverflowsRaisesItsScaleAndIsNoted) {
  ir::Graph g = conv_network();
  // One channel of small weights, but not 2^-20 of the layer's, with a bias that is large beside them.
  g.value(*g.find("w")).constant = [] {
    Tensor w = ir::random_floats({2, 1, 3, 3}, 1);
    for (std::size_t i = 0; i < 9; ++i) w.mutable_data<float>()[i] *= 1e-5F;
    return w;
  }();
  g.value(*g.find("b")).constant = ir::floats({2}, {2e4F, 0.5F});
  const Quantized result = quantize(g, ranges_of(g), {});
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_THAT(result.notes[0], testing::AllOf(HasSubstr("conv"), HasSubstr("1 channel")));
  for (std::int32_t q : numeric::to_int32(constant_of(result.graph, "b_quantized")))
    EXPECT_LE(std::abs(q), 1 << 30);
  EXPECT_NO_THROW(lower::lower(result.graph));
  EXPECT_TRUE(quantize(conv_network(), ranges_of(conv_network()), {}).notes.empty());
}

TEST(Quantize, AMissingRangeIsNamed) {
  const ir::Graph g = conv_network();
  RangeTable ranges = ranges_of(g);
  ranges.erase("relu");
  try {
    quantize(g, ranges, {});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'relu'"));
  }
}

TEST(Quantize, ANetworkThatIsAllZeroIsQuantized) {
  ir::Graph g = conv_network();
  for (const char* name : {"w", "b", "v", "c"})
    g.value(*g.find(name)).constant = Tensor(DType::float32, g.value(*g.find(name)).shape);
  const ir::Graph q = quantize(g, ranges_of(g), {}).graph;
  const Tensor x = ir::random_floats({2, 1, 4, 4}, 1);
  EXPECT_TRUE(qgraph::Interpreter(lower::lower(q)).run({&x, 1}).at(0) == Tensor(DType::float32, {2, 3}));
}

TEST(Quantize, AHandMadeGemmIsExact) {
  ir::Graph g;
  const ir::ValueId x = g.add_input("x", DType::float32, {kDynamic, 2});
  g.outputs = {g.add_node(ir::Gemm{.trans_b = true},
                          {x, g.add_constant("w", ir::floats({1, 2}, {127.0F, -64.0F})),
                           g.add_constant("b", ir::floats({1}, {3.0F}))},
                          "y")};
  const ir::Graph q = quantize(g, {{"x", {-128.0, 127.0}}, {"y", {-12800.0, 12700.0}}}, {}).graph;
  EXPECT_EQ(ir::values_of<std::int8_t>(constant_of(q, "w_quantized")), (std::vector<std::int8_t>{127, -64}));
  EXPECT_EQ(ir::values_of<std::int32_t>(constant_of(q, "b_quantized")), (std::vector<std::int32_t>{3}));
  const Tensor in = ir::floats({2, 2}, {10, 20, -1, 1});
  // 1270 − 1280 + 3 = −7 and −127 − 64 + 3 = −188, on the grid of hundreds.
  EXPECT_TRUE(qgraph::Interpreter(lower::lower(q)).run({&in, 1}).at(0) ==
              ir::floats({2, 1}, {0.0F, -200.0F}));
}

TEST(Recipe, WhatDoesNotGoTogetherIsRefused) {
  const ir::Graph g = conv_network();
  const RangeTable ranges = ranges_of(g);
  Recipe shift;
  shift.arithmetic.mode = numeric::Arithmetic::shift;
  EXPECT_THROW(quantize(g, ranges, shift), UsageError);
  Recipe group;
  group.weights.granularity = Granularity::group;
  EXPECT_THROW(quantize(g, ranges, group), UsageError);
  for (int bits : {0, 1, 17}) {
    Recipe weights;
    weights.weights.format.bits = bits;
    EXPECT_THROW(quantize(g, ranges, weights), UsageError) << bits;
  }
  for (int bits : {-1, 0, 17}) {
    Recipe activations;
    activations.activations.format.bits = bits;
    EXPECT_THROW(quantize(g, ranges, activations), UsageError) << bits;
  }
  Recipe narrow;
  narrow.weights.format = {8, false, true};
  EXPECT_THROW(quantize(g, ranges, narrow), UsageError);
  Recipe mantissa;
  mantissa.arithmetic.mantissa_bits = 12;
  EXPECT_THROW(quantize(g, ranges, mantissa), UsageError);
}

TEST(Recipe, SymmetricUnsignedActivationsWithNegativeValuesAreRefused) {
  const ir::Graph g = conv_network();
  Recipe recipe;
  recipe.activations.format = {8, false, false};
  recipe.activations.scheme = Scheme::symmetric;
  EXPECT_THROW(quantize(g, ranges_of(g), recipe), InputError);
}

TEST(Recipe, IsDescribedInOneLine) {
  EXPECT_EQ(describe(Recipe{}),
            "w8a8, weights symmetric by channel, activations asymmetric by minmax, fixed, 32-bit mantissa");
}

}  // namespace
}  // namespace halftone::quant
