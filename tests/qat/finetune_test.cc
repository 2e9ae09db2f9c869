#include "halftone/qat/finetune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/data/digits.h"
#include "halftone/data/preprocessing.h"
#include "halftone/ir/interpreter.h"
#include "halftone/models/build.h"
#include "halftone/ptq/ptq.h"
#include "halftone/qat/fake_quantized.h"
#include "halftone/qat/train.h"
#include "tests/qat/random_tensor.h"

namespace halftone::qat {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

using Rows = Examples;

Rows digits(std::int64_t count) {
  const data::Dataset drawn = data::make_digits(data::Part::train, count);
  return {data::apply(data::preset("mnist"), drawn.images), drawn.labels};
}

ptq::Result quantized(const ir::Graph& graph, const Tensor& images, const quant::Recipe& recipe) {
  const calibration::Runs runs{.samples = calibration::source_of(images), .options = {}, .make_executor = [](const ir::Graph& g) -> std::unique_ptr<ir::Executor> {
                                 return std::make_unique<ir::Interpreter>(g);
                               }};
  return ptq::quantize({.model = graph, .recipe = recipe, .runs = [&](auto...) { return runs; }});
}

ptq::Result quantized(const ir::Graph& graph, const Tensor& images, int weight_bits, int activation_bits, int sum_bits = 0) {
  quant::Recipe recipe;
  recipe.weights.format.bits = weight_bits;
  recipe.weights.range = quant::WeightRange::mean_squared_error;
  recipe.activations.format.bits = activation_bits;
  recipe.sum_bits = sum_bits;
  return quantized(graph, images, recipe);
}

// Two convolutions with a sum around the second, a mean and a layer without a ReLU: [N, 1, 6, 6] to [N, 3].
ir::Graph small_residual(std::mt19937_64& random) {
  const auto weights = [&](Shape shape) {
    Tensor w = random_tensor(std::move(shape), random);
    for (float& each : w.mutable_data<float>()) each *= 0.3F;
    return w;
  };
  ir::Graph graph;
  const ir::ValueId x = graph.add_input("x", DType::float32, {kDynamic, 1, 6, 6});
  const ir::Conv same{.window = {.kernel = {3, 3}, .pads = {1, 1, 1, 1}}};
  const auto conv = [&](ir::ValueId in, std::int64_t channels, const std::string& name) {
    return graph.add_node(same, {in, graph.add_constant(name + "_w", weights({4, channels, 3, 3})), graph.add_constant(name + "_b", weights({4}))}, name);
  };
  const ir::ValueId first = graph.add_node(ir::Relu{}, {conv(x, 1, "first")}, "relu");
  const ir::ValueId sum = graph.add_node(ir::Add{}, {conv(first, 4, "second"), first}, "sum");
  const ir::ValueId pooled = graph.add_node(ir::MaxPool{{.kernel = {2, 2}, .strides = {2, 2}}}, {graph.add_node(ir::Relu{}, {sum}, "relu2")}, "pooled");
  const ir::ValueId mean = graph.add_node(ir::GlobalAveragePool{}, {pooled}, "mean");
  const ir::ValueId flat = graph.add_node(ir::Flatten{}, {mean}, "flat");
  graph.outputs = {graph.add_node(ir::Gemm{.trans_b = true}, {flat, graph.add_constant("w", weights({3, 4})), graph.add_constant("b", weights({3}))}, "y")};
  return graph;
}

Rows random_rows(std::int64_t count, std::mt19937_64& random) {
  Rows rows{random_tensor({count, 1, 6, 6}, random), {}};
  for (std::int64_t i = 0; i < count; ++i) rows.labels.push_back(static_cast<std::int32_t>(random() % 3));
  return rows;
}

const Examples kNone;
const Ranks kAlone;

Finetuned finetuned(const ptq::Result& start, const Rows& rows, const FinetuneOptions& options, const Rows& held_out = kNone, const Hooks& hooks = {}) {
  return finetune({start.network, start.network, start.parameters, rows, held_out, kNone, kAlone}, options, hooks);
}

FinetuneOptions options_of(int epochs, double learning_rate, std::int64_t batch_size = 32, std::string_view name = "lsq") {
  FinetuneOptions options{.quantizer = quantizer(name)};
  options.training.epochs = epochs;
  options.training.batch_size = batch_size;
  options.training.learning_rate = learning_rate;
  return options;
}

FinetuneOptions still() {
  FinetuneOptions options = options_of(1, 1e-12);
  options.step_rate = 0;
  return options;
}

FinetuneOptions quick(std::string_view name = "lsq") { return options_of(2, 1e-3, 16, name); }

double accuracy_of(const ir::Graph& network, const quant::Parameters& parameters, const Rows& rows) {
  const ptq::Integers made = ptq::integers_of(network, parameters, {}, "network");
  const Tensor scores = ir::Interpreter(made.quantized.graph).run(std::span(&rows.images, 1)).at(0);
  const std::int64_t classes = scores.dim(1);
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < scores.dim(0); ++i) {
    const auto row = scores.data<float>().subspan(static_cast<std::size_t>(i * classes), static_cast<std::size_t>(classes));
    right += std::ranges::max_element(row) - row.begin() == rows.labels[static_cast<std::size_t>(i)] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(scores.dim(0));
}

// How many outputs of the file are others than training sees.
int different_from_file(const Finetuned& made, const Rows& rows) {
  TorchGraph trained(made.network);
  FakeQuantized passage(made.network, made.parameters, quantizer("ste"), kAlone);
  const torch::Tensor images = view_as_torch(rows.images, "images");
  const Tensor seen = from_torch(trained.run(std::span(&images, 1), &passage).at(0));
  const ptq::Integers integers = ptq::integers_of(made.network, made.parameters, {}, "small");
  const Tensor file = ir::Interpreter(integers.quantized.graph).run(std::span(&rows.images, 1)).at(0);
  int different = 0;
  for (std::size_t i = 0; i < file.data<float>().size(); ++i) different += seen.data<float>()[i] != file.data<float>()[i] ? 1 : 0;
  return different;
}

// Training sees what the file computes: the same numbers, but for ties that a different order of additions decides.
TEST(Finetune, TrainsWhatTheFileComputes) {
  std::mt19937_64 random(11);
  const ir::Graph graph = small_residual(random);
  const Rows rows = random_rows(64, random);
  for (int sums : {0, 8}) {
    const ptq::Result start = quantized(graph, rows.images, 3, 4, sums);
    EXPECT_LE(different_from_file(finetuned(start, rows, quick()), rows), 3) << "of 192 with sums of " << sums << " bits";
  }
}

// Batch normalization is part of steps and biases, whether its statistics stay the last epoch or are the running ones of the last batch.
TEST(Finetune, TrainsWhatTheFileComputesWithBatchNormalization) {
  std::mt19937_64 random(31);
  const ir::Graph graph = small_residual(random);
  const Rows rows = random_rows(64, random);
  const ptq::Result start = quantized(graph, rows.images, 3, 4, 8);
  const Finetuned plain = finetuned(start, rows, quick());
  for (const char* name : {"lsq", "lsq+", "ste"})
    for (int epochs : {1, 2}) {
      FinetuneOptions options = quick(name);
      options.batch_norm_epochs = epochs;
      const Finetuned made = finetuned(start, rows, options, rows);
      EXPECT_LE(different_from_file(made, rows), 3) << name << ", epochs " << epochs;
      EXPECT_NEAR(made.reports.back().held_out.value(), accuracy_of(made.network, made.parameters, rows), 1.5 / 64) << name;
      EXPECT_NE(made.parameters.weights, plain.parameters.weights);
      EXPECT_EQ(finetuned(start, rows, options).parameters.weights, made.parameters.weights);
    }
}

TEST(Finetune, BatchNormalizationBeginsWithTheSameIntegers) {
  std::mt19937_64 random(32);
  const ir::Graph graph = small_residual(random);
  const Rows rows = random_rows(64, random);
  const ptq::Result start = quantized(graph, rows.images, 4, 4);
  FinetuneOptions options = still();
  options.batch_norm_epochs = 1;
  const Finetuned made = finetuned(start, rows, options);
  for (std::size_t n = 0; n < start.parameters.weights.size(); ++n) {
    if (!start.parameters.weights[n]) continue;
    const quant::QuantizedWeights& before = *start.parameters.weights[n];
    const quant::QuantizedWeights& after = *made.parameters.weights[n];
    EXPECT_EQ(numeric::to_int32(after.q), numeric::to_int32(before.q));
    for (std::size_t c = 0; c < before.params.affine.size(); ++c)
      EXPECT_NEAR(after.params.affine[c].scale / before.params.affine[c].scale, 1.0, 0.02);  // two batches' part in running statistics
  }
}

// The same for every quantizer: what it leaves is what the integers are.
TEST(Finetune, EveryQuantizerTrainsWhatTheFileComputes) {
  std::mt19937_64 random(21);
  const ir::Graph graph = small_residual(random);
  const Rows rows = random_rows(64, random);
  for (const Quantizer& each : quantizers()) {
    quant::Recipe recipe;
    recipe.weights.format = {4, true, false};
    recipe.activations.format.bits = 5;
    if (each.need == RecipeNeed::powers_of_two) quant::use_powers_of_two(recipe);
    const ptq::Result start = quantized(graph, rows.images, recipe);
    std::vector<EpochReport> reports;
    const Finetuned made = finetuned(start, rows, options_of(3, 1e-3, 16, each.name), rows);
    EXPECT_NEAR(made.reports.back().held_out.value(), accuracy_of(made.network, made.parameters, rows), 1.5 / 64) << each.name;
    for (const auto& activation : made.parameters.activations) {
      if (!activation) continue;
      EXPECT_GT(activation->affine.scale, 0.0F) << each.name;
      if (each.need == RecipeNeed::powers_of_two) {
        EXPECT_EQ(std::exp2(std::round(std::log2(activation->affine.scale))), activation->affine.scale);
      }
    }
  }
}

TEST(Finetune, NoiseAveragesAndFreezingLeaveIntegers) {
  std::mt19937_64 random(22);
  const ir::Graph graph = small_residual(random);
  const Rows rows = random_rows(64, random);
  const ptq::Result start = quantized(graph, rows.images, 4, 4);
  for (WeightNoise noise : {WeightNoise::none, WeightNoise::stochastic, WeightNoise::additive}) {
    FinetuneOptions options = options_of(3, 1e-2, 16);
    options.noise = noise;
    options.freeze = 0.02;
    options.training.average = 0.9;
    const Finetuned made = finetuned(start, rows, options, rows);
    EXPECT_NEAR(made.reports.back().held_out.value(), accuracy_of(made.network, made.parameters, rows), 1.5 / 64);
    EXPECT_EQ(finetuned(start, rows, options).parameters.weights, made.parameters.weights);
  }
}

TEST(Finetune, BeginsWithTheIntegersOfTheParameters) {
  std::mt19937_64 random(15);
  const ir::Graph graph = small_residual(random);
  const Rows rows = random_rows(64, random);
  for (int bits : {2, 4, 8}) {
    const ptq::Result start = quantized(graph, rows.images, bits, 4);
    const Finetuned made = finetuned(start, rows, still());
    EXPECT_EQ(made.parameters.weights, start.parameters.weights) << bits;
  }
}

TEST(Finetune, LearnsWhatRoundingLoses) {
  const Rows rows = digits(1500);
  const Rows others = {data::apply(data::preset("mnist"), data::make_digits(data::Part::test, 300).images), data::make_digits(data::Part::test, 300).labels};
  const ir::Graph graph = train({models::build("mlp", 1, {.classes = 10}), rows, kNone, kNone, kAlone}, {.epochs = 8}).graph;
  const ptq::Result start = quantized(graph, rows.images, 2, 2, 8);
  std::vector<EpochReport> reports;
  Hooks hooks;
  hooks.progress = [&](const TrainProgress& now) {
    if (now.epoch_ended) reports.push_back(now.report);
  };
  const Finetuned made = finetuned(start, rows, options_of(4, 1e-3, 16), others, hooks);
  ASSERT_EQ(reports.size(), 4U);
  EXPECT_LT(reports.back().loss, reports.front().loss);
  EXPECT_NEAR(reports.back().held_out.value(), accuracy_of(made.network, made.parameters, others), 1.5 / 300);  // what training saw is what the file computes
  EXPECT_GT(accuracy_of(made.network, made.parameters, rows), accuracy_of(start.network, start.parameters, rows) + 0.1);
}

TEST(Finetune, TheSameSeedGivesTheSameParameters) {
  std::mt19937_64 random(12);
  const ir::Graph graph = small_residual(random);
  const Rows rows = random_rows(64, random);
  const ptq::Result start = quantized(graph, rows.images, 4, 4);
  const auto weights_of = [&](std::uint64_t seed) {
    FinetuneOptions options = quick();
    options.training.seed = seed;
    options.training.augmentation = Augmentation::crop_flip;
    return finetuned(start, rows, options).parameters.weights;
  };
  EXPECT_EQ(weights_of(1), weights_of(1));
  EXPECT_NE(weights_of(1), weights_of(2));
}

TEST(Finetune, BinaryWeightsStayBinary) {
  std::mt19937_64 random(16);
  const ir::Graph graph = small_residual(random);
  const Rows rows = random_rows(64, random);
  quant::Recipe recipe;
  recipe.weights.code = quant::WeightCode::binary;
  const ptq::Result start = quantized(graph, rows.images, recipe);
  const Finetuned unmoved = finetuned(start, rows, still());
  EXPECT_EQ(unmoved.parameters.weights, start.parameters.weights);
  const Finetuned made = finetuned(start, rows, options_of(20, 0.1, 8));
  std::int64_t moved = 0;
  for (std::size_t n = 0; n < start.parameters.weights.size(); ++n) {
    if (!start.parameters.weights[n]) continue;
    const std::vector<std::int32_t> q = numeric::to_int32(made.parameters.weights[n]->q);
    EXPECT_TRUE(std::ranges::all_of(q, [](std::int32_t w) { return w == -1 || w == 1; }));
    moved += q == numeric::to_int32(start.parameters.weights[n]->q) ? 0 : 1;
  }
  EXPECT_GT(moved, 0);
}

TEST(Finetune, StraightThroughKeepsSteps) {
  std::mt19937_64 random(13);
  const ir::Graph graph = small_residual(random);
  const Rows rows = random_rows(64, random);
  const ptq::Result start = quantized(graph, rows.images, 4, 4);
  const Finetuned made = finetuned(start, rows, quick("ste"));
  for (std::size_t n = 0; n < start.parameters.weights.size(); ++n) {
    if (!start.parameters.weights[n]) continue;
    EXPECT_EQ(made.parameters.weights[n]->params, start.parameters.weights[n]->params);
  }
}

TEST(Finetune, RefusesWhatItCannotTrain) {
  std::mt19937_64 random(14);
  const ir::Graph graph = small_residual(random);
  Rows rows = random_rows(16, random);
  const ptq::Result start = quantized(graph, rows.images, 4, 4);
  const auto refused = [&](const FinetuneOptions& options) { finetuned(start, rows, options); };
  EXPECT_THAT([&] { refused(options_of(0, 1e-3)); }, ThrowsMessage<UsageError>(HasSubstr("number of epochs, got 0, expected 1 or more")));
  EXPECT_THAT([&] { refused(options_of(1, 2)); }, ThrowsMessage<UsageError>(HasSubstr("learning rate")));
  const auto refused_recipe = [](const quant::Recipe& recipe) { return [recipe] { check_finetuning(recipe, options_of(1, 1e-3, 32, "lsq")); }; };
  quant::Recipe recipe;
  recipe.weights.code = quant::WeightCode::k_means;
  EXPECT_THAT(refused_recipe(recipe), ThrowsMessage<UnsupportedError>(HasSubstr("codebook weights are not trained")));
  recipe = {};
  recipe.tensors = {{"x", {.power_of_two = true}}};
  EXPECT_THAT(refused_recipe(recipe), ThrowsMessage<UsageError>(HasSubstr("expected the quantizer ste")));
  check_finetuning(recipe, options_of(1, 1e-3, 32, "ste"));
  EXPECT_THAT([&] { check_finetuning(recipe, options_of(1, 1e-3, 32, "tqt")); }, ThrowsMessage<UsageError>(HasSubstr("tqt learns powers of two")));
  EXPECT_THAT([] { quantizer("nearest"); }, ThrowsMessage<UsageError>(HasSubstr("got 'nearest', expected one of lsq, lsq+")));
  FinetuneOptions moved = quick();
  moved.training.augmentation = Augmentation::crop;
  FinetuneOptions normalized = options_of(1, 1e-3);
  normalized.batch_norm_epochs = 2;
  EXPECT_THAT([&] { refused(normalized); }, ThrowsMessage<UsageError>(HasSubstr("epochs of batch normalization, got 2, expected 0 to all epochs")));
  Examples flat{Tensor(DType::float32, {4, 36}), {}};
  std::swap(rows, flat);
  EXPECT_THROW(refused(moved), InputError);
  rows = random_rows(16, random);
  rows.labels.clear();
  EXPECT_THAT([&] { refused(quick()); }, ThrowsMessage<UsageError>(HasSubstr("weight of labels without labels, got 0.3, expected 0")));
  FinetuneOptions unlabelled = options_of(1, 1e-3);
  unlabelled.label_weight = 0;
  refused(unlabelled);
  rows.labels.assign(16, 0);
  rows.labels[3] = 7;
  EXPECT_THAT([&] { refused(quick()); }, ThrowsMessage<InputError>(HasSubstr("label of row 3, got 7, expected 0 to 2")));
}

TEST(Finetune, RefusesRecipesThatBatchNormalizationCannotMove) {
  const auto refused = [](const quant::Recipe& recipe, std::string_view name = "lsq") {
    return [recipe, name] {
      FinetuneOptions options = options_of(2, 1e-3, 32, name);
      options.batch_norm_epochs = 1;
      check_finetuning(recipe, options);
    };
  };
  refused({})();
  refused({}, "ste")();
  quant::Recipe recipe;
  recipe.weights.granularity = numeric::Granularity::tensor;
  EXPECT_THAT(refused(recipe), ThrowsMessage<UsageError>(HasSubstr("got weights by tensor, expected by channel")));
  check_finetuning(recipe, options_of(2, 1e-3));
  recipe = {};
  quant::use_powers_of_two(recipe);
  EXPECT_THAT(refused(recipe, "ste"), ThrowsMessage<UsageError>(HasSubstr("set or powers of two")));
  for (const char* name : {"pact", "minmax", "dorefa"}) EXPECT_THAT(refused({}, name), ThrowsMessage<UsageError>(HasSubstr(name))) << name;
}

}  // namespace
}  // namespace halftone::qat
