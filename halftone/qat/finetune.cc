#include "halftone/qat/finetune.h"

#include <ATen/Context.h>
#include <fmt/format.h>
#include <torch/optim/adam.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "halftone/base/error.h"
#include "halftone/qat/augment.h"
#include "halftone/qat/epoch_loop.h"
#include "halftone/qat/fake_quantized.h"
#include "halftone/qat/torch_threads.h"
#include "halftone/qat/trainable.h"

namespace halftone::qat {
namespace {

void check_options(const FinetuneOptions& options, std::int64_t rows) {
  const auto expect = [](bool holds, std::string_view option, auto got, std::string_view expected) {
    if (!holds) throw UsageError("finetune", fmt::format("{}, got {}, expected {}", option, got, expected));
  };
  expect(options.epochs >= 1, "number of epochs", options.epochs, "1 or more");
  expect(options.batch_size >= 1, "batch size", options.batch_size, "1 or more");
  expect(options.learning_rate > 0 && options.learning_rate <= 1, "learning rate", options.learning_rate, "above 0, up to 1");
  expect(options.step_rate >= 0 && options.step_rate <= 1, "rate of steps", options.step_rate, "0 to 1");
  expect(options.label_weight >= 0 && options.label_weight <= 1, "weight of labels", options.label_weight, "0 to 1");
  expect(options.held_out >= 0 && options.held_out < rows, "held-out rows", options.held_out, fmt::format("fewer than the {} there are", rows));
  expect(options.threads >= 1, "number of threads", options.threads, "1 or more");
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

class Finetuning {
 public:
  Finetuning(const ir::Graph& network, const quant::Parameters& parameters, const Tensor& images, std::span<const std::int32_t> labels,
             const FinetuneOptions& options)
      : options_(options),
        graph_(to_logits(network)),
        quantized_(network, parameters, options.quantizer),
        images_(channels_last(view_as_torch(images, "images"))),
        labels_(labels.empty() ? torch::Tensor() : torch::tensor(std::vector<std::int32_t>(labels.begin(), labels.end())).to(at::kLong)),
        optimizer_(make_optimizer(quantized_.trained())),
        random_(options.seed) {}

  BatchResult step_on(const torch::Tensor& rows, double rate) {
    set_rates(rate);
    const torch::Tensor images = channels_last(augmented(images_.index_select(0, rows), options_.augmentation, random_));
    const torch::Tensor wanted = options_.label_weight < 1 || !labels_.defined() ? teacher(images) : torch::Tensor();
    const torch::Tensor labels = labels_.defined() ? labels_.index_select(0, rows) : wanted.argmax(1);
    const torch::Tensor logits = graph_.run(std::span(&images, 1), &quantized_).at(0);
    const torch::Tensor loss = loss_of(logits, wanted, labels);
    optimizer_.zero_grad();
    loss.backward();
    optimizer_.step();
    return {.loss = loss.item<double>(), .right = logits.argmax(1).eq(labels).sum().item<std::int64_t>()};
  }

  // Of rows [first, all).
  double accuracy_from(std::int64_t first) {
    constexpr std::int64_t kTogether = 250;
    const torch::NoGradGuard guard;
    std::int64_t right = 0;
    for (std::int64_t row = first; row < images_.size(0); row += kTogether) {
      const std::int64_t last = std::min(row + kTogether, images_.size(0));
      const torch::Tensor images = images_.slice(0, row, last);
      const torch::Tensor labels = labels_.defined() ? labels_.slice(0, row, last) : teacher(images).argmax(1);
      right += graph_.run(std::span(&images, 1), &quantized_).at(0).argmax(1).eq(labels).sum().item<std::int64_t>();
    }
    return static_cast<double>(right) / static_cast<double>(images_.size(0) - first);
  }

  const FakeQuantized& quantized() const { return quantized_; }

 private:
  // log t of the float network.
  torch::Tensor teacher(const torch::Tensor& images) const {
    const torch::NoGradGuard guard;
    return graph_.run(std::span(&images, 1)).at(0).log_softmax(1);
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
  TorchGraph graph_;  // with the float weights: the teacher too
  FakeQuantized quantized_;
  torch::Tensor images_;
  torch::Tensor labels_;
  torch::optim::Adam optimizer_;
  std::mt19937_64 random_;
};

}  // namespace

Finetuned finetune(const ir::Graph& network, const quant::Parameters& parameters, const Tensor& images, std::span<const std::int32_t> labels,
                   const FinetuneOptions& options, const ProgressFn& progress) {
  check_rows(logits_graph(network), images, labels);
  check_options(options, images.dim(0));
  if (labels.empty() && options.label_weight > 0)
    throw UsageError("finetune", fmt::format("weight of labels, got {} and no labels, expected 0", options.label_weight));
  set_torch_threads(options.threads);
  torch::manual_seed(options.seed);
  at::globalContext().setDeterministicAlgorithms(/*deterministic=*/true, /*warn_only=*/false);
  Finetuning finetuning(network, parameters, images, labels, options);
  const std::int64_t seen = images.dim(0) - options.held_out;
  run_epochs(seen, {options.epochs, options.seed, options.batch_size, options.learning_rate},
             [&](const torch::Tensor& rows, double rate) { return finetuning.step_on(rows, rate); }, progress,
             [&](EpochReport& report) {
               if (options.held_out > 0) report.held_out = finetuning.accuracy_from(seen);
             });
  Finetuned result{network, parameters};
  finetuning.quantized().write_to(result.network, result.parameters);
  return result;
}

}  // namespace halftone::qat
