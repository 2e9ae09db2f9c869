#include "halftone/qat/finetune.h"

#include <ATen/Context.h>
#include <fmt/format.h>
#include <torch/optim/adam.h>
#include <torch/types.h>
#include <torch/utils.h>

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
  const auto expect = [](bool holds, std::string_view option, auto got, std::string_view expected) {
    if (!holds) throw UsageError("finetune", fmt::format("{}, got {}, expected {}", option, got, expected));
  };
  expect(options.epochs >= 1, "number of epochs", options.epochs, "1 or more");
  expect(options.batch_size >= 1, "batch size", options.batch_size, "1 or more");
  expect(options.learning_rate > 0 && options.learning_rate <= 1, "learning rate", options.learning_rate, "above 0, up to 1");
  expect(options.step_rate >= 0 && options.step_rate <= 1, "rate of steps", options.step_rate, "0 to 1");
  expect(options.label_weight >= 0 && options.label_weight <= 1, "weight of labels", options.label_weight, "0 to 1");
  expect(options.label_weight == 0 || !examples.labels.empty(), "weight of labels without labels", options.label_weight, "0");
  expect(options.augmentation == Augmentation::none || examples.images.rank() == 4, "augmentation of rows of shape",
         to_string(examples.images.shape()), "pictures [N, C, H, W]");
  expect(options.threads >= 1, "number of threads", options.threads, "1 or more");
}

bool has_powers_of_two(const quant::Recipe& recipe) {
  const auto is_set = [](const quant::ActivationRecipe& a) { return a.power_of_two || a.observer.observer->choose == calibration::fixed_point; };
  const auto is_set_weight = [](const quant::WeightRecipe& w) { return w.power_of_two || w.range == quant::WeightRange::fixed; };
  return recipe.arithmetic.mode == numeric::Arithmetic::shift || is_set(recipe.activations) || is_set_weight(recipe.weights) ||
         std::ranges::any_of(recipe.layers, [&](const quant::LayerRule& rule) { return is_set_weight(rule.weights); }) ||
         std::ranges::any_of(recipe.tensors, [&](const quant::TensorRule& rule) { return is_set(rule.activations); });
}

// A name for weights that are not trained; empty: they are.
std::string_view untrained(const quant::WeightRecipe& weights) {
  if (quant::is_codebook(weights.code)) return "codebook weights";
  if (weights.granularity == numeric::Granularity::group) return "weights by group";
  if (weights.scheme == numeric::Scheme::asymmetric) return "asymmetric weights";
  return weights.bias_bits == numeric::kWholeBias ? "" : "biases of fewer bits";
}

// The network with its logits as the only output; values keep their numbers.
ir::Graph to_logits(ir::Graph network) {
  network.outputs = {logits_of(network)};
  return network;
}

// Pictures as convolutions read them fastest.
torch::Tensor channels_last(const torch::Tensor& x) { return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x; }

torch::optim::Adam make_optimizer(const std::vector<Trained>& trained) {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  for (bool is_step : {false, true}) {
    std::vector<torch::Tensor> tensors;
    for (const Trained& each : trained)
      if (each.is_step == is_step) tensors.push_back(each.tensor);
    if (!tensors.empty()) groups.emplace_back(std::move(tensors), std::make_unique<torch::optim::AdamOptions>(1e-3));
  }
  return torch::optim::Adam(std::move(groups), torch::optim::AdamOptions(1e-3));
}

// Examples as torch takes them.
struct Rows {
  explicit Rows(const Examples& examples) {
    if (examples.images.size() > 0) images = channels_last(view_as_torch(examples.images, "images"));
    if (!examples.labels.empty()) labels = torch::tensor(examples.labels).to(at::kLong);
  }
  torch::Tensor images;  // undefined: none
  torch::Tensor labels;
};

class Finetuning {
 public:
  Finetuning(const FinetuneTask& task, const FinetuneOptions& options)
      : options_(options),
        teacher_(to_logits(task.teacher)),
        graph_(to_logits(task.network)),
        quantized_(task.network, task.parameters, options.quantizer),
        rows_(task.examples),
        held_out_(task.held_out),
        trained_(quantized_.trained()),
        optimizer_(make_optimizer(trained_)),
        random_(options.seed) {
    if (std::ranges::all_of(trained_, &Trained::is_step)) throw UsageError("finetune", "a graph without weights, expected one to train");
  }

  BatchResult step_on(const torch::Tensor& rows, double rate) {
    set_rates(rate);
    const torch::Tensor images = channels_last(augmented(rows_.images.index_select(0, rows), options_.augmentation, random_));
    const torch::Tensor wanted = options_.label_weight < 1 ? teacher(images) : torch::Tensor();
    const torch::Tensor labels = rows_.labels.defined() ? rows_.labels.index_select(0, rows) : wanted.argmax(1);
    const torch::Tensor logits = graph_.run(std::span(&images, 1), &quantized_).at(0);
    const torch::Tensor loss = loss_of(logits, wanted, labels);
    optimizer_.zero_grad();
    loss.backward();
    optimizer_.step();
    return {.loss = loss.item<double>(), .right = logits.argmax(1).eq(labels).sum().item<std::int64_t>()};
  }

  // The rows that are held out; nothing where there are none.
  std::optional<double> held_out_accuracy() const {
    constexpr std::int64_t kTogether = 250;
    if (!held_out_.images.defined()) return std::nullopt;
    const torch::NoGradGuard guard;
    const std::int64_t count = held_out_.images.size(0);
    std::int64_t right = 0;
    for (std::int64_t row = 0; row < count; row += kTogether) {
      const std::int64_t last = std::min(row + kTogether, count);
      const torch::Tensor images = held_out_.images.slice(0, row, last);
      const torch::Tensor labels = held_out_.labels.defined() ? held_out_.labels.slice(0, row, last) : teacher(images).argmax(1);
      right += graph_.run(std::span(&images, 1), &quantized_).at(0).argmax(1).eq(labels).sum().item<std::int64_t>();
    }
    return static_cast<double>(right) / static_cast<double>(count);
  }

  void expect_finite() const {
    for (const Trained& each : trained_)
      if (!each.tensor.isfinite().all().item<bool>()) throw UsageError("finetune", "weights or steps stop being finite, expected lower rates");
  }

  const FakeQuantized& quantized() const { return quantized_; }

 private:
  // log t of the float network.
  torch::Tensor teacher(const torch::Tensor& images) const {
    const torch::NoGradGuard guard;
    return teacher_.run(std::span(&images, 1)).at(0).log_softmax(1);
  }

  // `wanted`: log t; undefined where labels alone count.
  torch::Tensor loss_of(const torch::Tensor& logits, const torch::Tensor& wanted, const torch::Tensor& labels) const {
    torch::Tensor loss = torch::zeros({});
    if (options_.label_weight > 0) loss = loss + options_.label_weight * at::cross_entropy_loss(logits, labels);
    if (options_.label_weight < 1) loss = loss + (1.0 - options_.label_weight) * (wanted.exp() * (wanted - logits.log_softmax(1))).sum(1).mean();
    return loss;
  }

  void set_rates(double rate) {
    for (std::size_t g = 0; g < optimizer_.param_groups().size(); ++g)
      static_cast<torch::optim::AdamOptions&>(optimizer_.param_groups()[g].options()).lr(g == 0 ? rate : rate * options_.step_rate / options_.learning_rate);
  }

  FinetuneOptions options_;
  TorchGraph teacher_;
  TorchGraph graph_;
  mutable FakeQuantized quantized_;
  Rows rows_;
  Rows held_out_;
  std::vector<Trained> trained_;
  torch::optim::Adam optimizer_;
  std::mt19937_64 random_;
};

}  // namespace

void check_finetuning(const quant::Recipe& recipe, Quantizer quantizer) {
  if (recipe.weight_only) throw UnsupportedError("finetune", "activations that stay float are not trained, expected bits for them");
  std::vector<quant::WeightRecipe> all{recipe.weights};
  for (const quant::LayerRule& rule : recipe.layers) all.push_back(rule.weights);
  for (const quant::WeightRecipe& weights : all)
    if (const std::string_view what = untrained(weights); !what.empty())
      throw UnsupportedError("finetune", fmt::format("{} are not trained, expected symmetric weights by tensor or channel, and whole biases", what));
  if (quantizer == Quantizer::lsq && has_powers_of_two(recipe))
    throw UsageError("finetune", "lsq learns steps, which are set or powers of two here, expected the quantizer ste");
}

void check_finetuning(const ir::Graph& network, const Examples& examples, const Examples& held_out, const FinetuneOptions& options) {
  const ir::Graph logits = logits_graph(network);
  check_rows(logits, examples.images, examples.labels);
  if (held_out.images.size() > 0) check_rows(logits, held_out.images, held_out.labels);
  check_options(options, examples);
  TorchGraph{logits};
}

Finetuned finetune(const FinetuneTask& task, const FinetuneOptions& options, const ProgressFn& progress) {
  check_finetuning(task.network, task.examples, task.held_out, options);
  set_torch_threads(options.threads);
  torch::manual_seed(options.seed);
  at::globalContext().setDeterministicAlgorithms(/*deterministic=*/true, /*warn_only=*/false);
  Finetuning finetuning(task, options);
  run_epochs(task.examples.images.dim(0), {options.epochs, options.seed, options.batch_size, options.learning_rate},
             [&](const torch::Tensor& rows, double rate) { return finetuning.step_on(rows, rate); }, progress,
             [&](EpochReport& report) { report.held_out = finetuning.held_out_accuracy(); });
  finetuning.expect_finite();
  Finetuned result{task.network, task.parameters};
  finetuning.quantized().write_to(result.network, result.parameters);
  return result;
}

}  // namespace halftone::qat
