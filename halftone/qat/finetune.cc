#include "halftone/qat/finetune.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/qat/augment.h"
#include "halftone/qat/epoch_loop.h"
#include "halftone/qat/fake_quantized.h"
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

}  // namespace

TrainOptions quantized_training() {
  return {.learning_rate = 3e-4, .weight_decay = 0, .label_smoothing = 0, .optimizer = OptimizerKind::adam};
}

void check_finetuning(const quant::Recipe& recipe, const Quantizer& quantizer) {
  if (recipe.weight_only) throw UnsupportedError("finetune", "activations that stay float are not trained, expected bits for them");
  std::vector<quant::WeightRecipe> all{recipe.weights};
  for (const quant::LayerRule& rule : recipe.layers) all.push_back(rule.weights);
  for (const quant::WeightRecipe& weights : all)
    if (const std::string_view what = untrained(weights); !what.empty())
      throw UnsupportedError("finetune", fmt::format("{} are not trained, expected symmetric weights by tensor or channel, and whole biases", what));
  check_need(recipe, quantizer);
}

void check_finetuning(const FinetuneTask& task, const FinetuneOptions& options) {
  const ir::Graph logits = logits_graph(task.network);
  for (const Examples* rows : {&task.examples, &task.held_out, &task.test})
    if (rows == &task.examples || rows->images.size() > 0) check_rows(logits, *rows, /*needs_labels=*/false);
  check_options(options, task.examples);
  expect_augmentable(options.training.augmentation, task.examples.images);
  TorchGraph{to_logits(task.network)};
}

Finetuned finetune(const FinetuneTask& task, const FinetuneOptions& options, const Hooks& hooks, const std::function<void(const Finetuned&)>& best) {
  check_finetuning(task, options);
  const TrainOptions& training = options.training;
  make_deterministic(training.threads, training.seed);
  expect_same_zero_points(task.parameters, task.ranks);
  const bool has_teacher = options.label_weight < 1;
  const ir::Graph teacher = to_logits(task.teacher);
  FakeQuantized quantized(task.network, task.parameters, options.quantizer, task.ranks);
  Learner learner({.logits = to_logits(task.network), .quantized = &quantized, .teacher = has_teacher ? &teacher : nullptr, .examples = task.examples, .ranks = task.ranks}, training,
                  {.label_weight = options.label_weight, .step_rate = options.step_rate, .noise = options.noise, .freeze = options.freeze},
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
