#include "halftone/qat/finetune.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/qat/augment.h"
#include "halftone/qat/epoch_loop.h"
#include "halftone/qat/fake_quantized.h"
#include "halftone/qat/quantizers/weight_quantizer.h"
#include "halftone/qat/torch_threads.h"
#include "halftone/qat/trainable.h"

namespace halftone::qat {
namespace {

void check_options(const FinetuneOptions& options, const Examples& examples) {
  check(options.training);
  const auto expect = [](bool holds, std::string_view option, auto got, std::string_view expected) {
    if (!holds) throw UsageError("finetune", fmt::format("{}, got {}, expected {}", option, got, expected));
  };
  expect(options.training.learning_rate <= 1, "learning rate", options.training.learning_rate, "above 0, up to 1");
  expect(options.step_rate >= 0 && options.step_rate <= 1, "rate of steps", options.step_rate, "0 to 1");
  expect(options.label_weight >= 0 && options.label_weight <= 1, "weight of labels", options.label_weight, "0 to 1");
  expect(options.label_weight == 0 || !examples.labels.empty(), "weight of labels without labels", options.label_weight, "0");
  const int normalized = options.batch_norm_epochs;
  expect(normalized >= 0 && normalized <= options.training.epochs, "epochs of batch normalization", normalized, "0 to all epochs");
  expect(options.freeze >= 0 && options.freeze < 1, "share of oscillations", options.freeze, "0 or more, below 1");
}

bool is_set(const quant::ActivationRecipe& a) { return a.observer.observer->choose == calibration::fixed_point; }
bool is_set(const quant::WeightRecipe& w) { return w.range == quant::WeightRange::fixed; }

// Whether any, or all, of a recipe's steps are powers of two or set by it.
template <typename Holds>
std::vector<bool> asked(const quant::Recipe& recipe, const Holds& holds) {
  std::vector<bool> all{holds(recipe.activations), holds(recipe.weights)};
  for (const quant::LayerRule& rule : recipe.layers) all.push_back(holds(rule.weights));
  for (const quant::TensorRule& rule : recipe.tensors) all.push_back(holds(rule.activations));
  return all;
}

void check_need(const quant::Recipe& recipe, const Quantizer& quantizer) {
  const std::vector<bool> powers = asked(recipe, [](const auto& each) { return each.power_of_two; });
  const std::vector<bool> set = asked(recipe, [](const auto& each) { return is_set(each); });
  const bool any_power = recipe.arithmetic.mode == numeric::Arithmetic::shift || std::ranges::count(powers, true) > 0;
  const bool any_set = std::ranges::count(set, true) > 0;
  const bool is_free = quantizer.need == RecipeNeed::free_steps || quantizer.need == RecipeNeed::free_offsets;
  if (is_free && (any_power || any_set))
    throw UsageError("finetune", fmt::format("{} moves steps, which are set or powers of two here, expected the quantizer ste, or tqt for powers of two", quantizer.name));
  const auto is_symmetric = [](const quant::ActivationRecipe& a) { return a.scheme == numeric::Scheme::symmetric; };
  if (quantizer.need == RecipeNeed::free_offsets && is_symmetric(recipe.activations))
    throw UsageError("finetune", fmt::format("{} learns zero points, which symmetric activations have not, expected the quantizer lsq", quantizer.name));
  if (quantizer.need == RecipeNeed::powers_of_two && (any_set || std::ranges::count(powers, false) > 0))
    throw UsageError("finetune", fmt::format("{} learns powers of two, expected a recipe of such scales", quantizer.name));
}

// Normalizing moves the steps of each channel on its own, beside what the quantizer does to them.
void check_normalization(const quant::Recipe& recipe, const Quantizer& quantizer) {
  const auto expect = [](bool holds, std::string_view what) {
    if (!holds) throw UsageError("finetune", fmt::format("batch normalization by batches {}", what));
  };
  const auto any = [&](const auto& holds) { return std::ranges::count(asked(recipe, holds), true) > 0; };
  const auto by_tensor = [](const quant::WeightRecipe& w) { return w.granularity == numeric::Granularity::tensor; };
  expect(!by_tensor(recipe.weights) && std::ranges::none_of(recipe.layers, by_tensor, &quant::LayerRule::weights),
         "moves steps by channel, got weights by tensor, expected by channel");
  const bool any_power = recipe.arithmetic.mode == numeric::Arithmetic::shift || any([](const auto& each) { return each.power_of_two; });
  expect(!any_power && !any([](const auto& each) { return is_set(each); }), "moves steps, got such that are set or powers of two, expected free ones");
  expect(quantizer.weights == weights_at_learnt_steps || quantizer.weights == weights_at_fixed_steps,
         fmt::format("needs steps that do not follow from weights, got the quantizer {}, expected lsq, lsq+, ste or ste-pass", quantizer.name));
}

// A name for weights that are not trained; empty: they are.
std::string_view untrained(const quant::WeightRecipe& weights) {
  if (quant::is_codebook(weights.code)) return "codebook weights";
  if (weights.granularity == numeric::Granularity::group) return "weights by group";
  if (weights.scheme == numeric::Scheme::asymmetric) return "asymmetric weights";
  return weights.bias_bits == numeric::kWholeBias ? "" : "biases of fewer bits";
}

// Ranks exchange what is trained; zero points, which are not, have to be the same already.
void expect_same_zero_points(const quant::Parameters& parameters, const Ranks& ranks) {
  std::vector<float> own;
  for (const auto& activation : parameters.activations)
    if (activation) own.push_back(static_cast<float>(activation->affine.zero_point));
  torch::Tensor first = torch::tensor(own);
  ranks.broadcast(first);
  if (!torch::equal(first, torch::tensor(own)))
    throw UsageError("finetune", fmt::format("rank {} came to other zero points than rank 0, expected machines of one kind", ranks.rank()));
}

// The network with its logits as the only output; values keep their numbers.
ir::Graph to_logits(ir::Graph network) {
  network.outputs = {logits_of(network)};
  return network;
}

// By the statistics of some rows, at even spacing.
void normalize(FakeQuantized& quantized, const ir::Graph& logits, const Examples& examples) {
  constexpr std::int64_t kRows = 256;
  constexpr std::int64_t kTogether = 32;
  const Rows rows(examples);
  const std::int64_t count = std::min(rows.count(), kRows);
  const torch::Tensor chosen = at::arange(count, at::kLong) * rows.count() / count;
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& part : chosen.to(at::kLong).split(kTogether)) parts.push_back(rows.take(part));
  quantized.normalize(TorchGraph(logits), parts);
}

}  // namespace

TrainOptions quantized_training() {
  return {.learning_rate = 3e-4, .weight_decay = 0, .label_smoothing = 0, .optimizer = OptimizerKind::adam};
}

void check_finetuning(const quant::Recipe& recipe, const FinetuneOptions& options) {
  if (recipe.weight_only) throw UnsupportedError("finetune", "activations that stay float are not trained, expected bits for them");
  std::vector<quant::WeightRecipe> all{recipe.weights};
  for (const quant::LayerRule& rule : recipe.layers) all.push_back(rule.weights);
  for (const quant::WeightRecipe& weights : all)
    if (const std::string_view what = untrained(weights); !what.empty())
      throw UnsupportedError("finetune", fmt::format("{} are not trained, expected symmetric weights by tensor or channel, and whole biases", what));
  check_need(recipe, options.quantizer);
  if (options.batch_norm_epochs > 0) check_normalization(recipe, options.quantizer);
}

void check_finetuning(const FinetuneTask& task, const FinetuneOptions& options) {
  const ir::Graph logits = logits_graph(task.network);
  for (const Examples* rows : {&task.examples, &task.held_out, &task.test})
    if (rows == &task.examples || rows->images.size() > 0) check_rows(logits, *rows, /*needs_labels=*/false);
  check_options(options, task.examples);
  expect_augmentable(options.training.augmentation, task.examples.images);
  TorchGraph{to_logits(task.network)};
  if (options.batch_norm_epochs > 0 && std::ranges::none_of(task.network.nodes, [&](const ir::Node& node) { return can_normalize(task.network, node); }))
    throw UsageError("finetune", "batch normalization by batches, got no layer with a bias before the last, expected one");
}

Finetuned finetune(const FinetuneTask& task, const FinetuneOptions& options, const Hooks& hooks, const std::function<void(const Finetuned&)>& best) {
  check_finetuning(task, options);
  const TrainOptions& training = options.training;
  make_deterministic(training.threads, training.seed);
  expect_same_zero_points(task.parameters, task.ranks);
  const bool has_teacher = options.label_weight < 1;
  const ir::Graph teacher = to_logits(task.teacher);
  FakeQuantized quantized(task.network, task.parameters, options.quantizer, task.ranks);
  if (options.batch_norm_epochs > 0) normalize(quantized, to_logits(task.network), task.examples);
  Learner learner({.logits = to_logits(task.network), .quantized = &quantized, .teacher = has_teacher ? &teacher : nullptr, .examples = task.examples, .ranks = task.ranks}, training,
                  {.label_weight = options.label_weight,
                   .step_rate = options.step_rate,
                   .noise = options.noise,
                   .freeze = options.freeze,
                   .batch_norm_epochs = options.batch_norm_epochs},
                  steps_of(task.examples.images.dim(0), training));
  const auto network_now = [&] {
    Finetuned now{task.network, task.parameters, {}};
    quantized.write_to(now.network, now.parameters);
    return now;
  };
  const Judged judged{Rows(task.held_out), Rows(task.test)};
  std::vector<EpochReport> reports = run_epochs(learner, judged, training, hooks, [&] {
    if (best) best(network_now());
  });
  Finetuned result = network_now();
  result.reports = std::move(reports);
  return result;
}

}  // namespace halftone::qat
