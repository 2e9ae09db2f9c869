#include "halftone/qat/train.h"

#include <ATen/Context.h>
#include <fmt/format.h>
#include <torch/optim/adamw.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <random>

#include "halftone/base/error.h"
#include "halftone/qat/row_order.h"
#include "halftone/qat/torch_graph.h"
#include "halftone/qat/torch_threads.h"
#include "halftone/qat/trainable.h"

namespace halftone::qat {
namespace {

constexpr double kLargestRate = 1000;  // far more than any use; torch throws for what no float32 holds

void check_options(const TrainOptions& options) {
  const auto expect = [](bool holds, std::string_view option, auto got, std::string_view expected) {
    if (!holds) throw UsageError("train", fmt::format("{}, got {}, expected {}", option, got, expected));
  };
  expect(options.epochs >= 1, "number of epochs", options.epochs, "1 or more");
  expect(options.batch_size >= 1, "batch size", options.batch_size, "1 or more");
  expect(options.learning_rate > 0 && options.learning_rate <= kLargestRate, "learning rate",
         options.learning_rate, "above 0, up to 1000");
  expect(options.weight_decay >= 0 && options.weight_decay <= kLargestRate, "weight decay",
         options.weight_decay, "0 to 1000");
  expect(options.label_smoothing >= 0 && options.label_smoothing < 1, "label smoothing",
         options.label_smoothing, "0 or more, below 1");
  expect(options.threads >= 1, "number of threads", options.threads, "1 or more");
}

void make_deterministic(const TrainOptions& options) {
  set_torch_threads(options.threads);
  torch::manual_seed(options.seed);
  at::globalContext().setDeterministicAlgorithms(/*deterministic=*/true, /*warn_only=*/false);
}

torch::optim::AdamW make_optimizer(const std::vector<Parameter>& parameters, std::int64_t steps,
                                   const TrainOptions& options) {
  std::vector<torch::Tensor> weights;
  std::vector<torch::Tensor> vectors;
  for (const Parameter& parameter : parameters)
    (parameter.tensor.dim() >= 2 ? weights : vectors).push_back(parameter.tensor);
  const double decay = options.weight_decay / std::sqrt(static_cast<double>(steps));
  const torch::optim::AdamWOptions defaults(options.learning_rate);
  const auto group = [&](std::vector<torch::Tensor> tensors, double weight_decay) {
    auto own = std::make_unique<torch::optim::AdamWOptions>(defaults);
    own->weight_decay(weight_decay);
    return torch::optim::OptimizerParamGroup(std::move(tensors), std::move(own));
  };
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.push_back(group(std::move(weights), decay));
  groups.push_back(group(std::move(vectors), 0.0));
  return torch::optim::AdamW(std::move(groups), defaults);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class Training {
 public:
  Training(const ir::Graph& logits, const Tensor& images, std::span<const std::int32_t> labels,
           const TrainOptions& options)
      : options_(options),
        graph_(logits),
        images_(view_as_torch(images, "images")),
        labels_(
            at::from_blob(const_cast<std::int32_t*>(labels.data()), {images.dim(0)}, at::kInt).to(at::kLong)),
        batch_size_(std::min(options.batch_size, images.dim(0))),
        batches_((images.dim(0) + batch_size_ - 1) / batch_size_),
        optimizer_(make_optimizer(graph_.parameters(), steps(), options)),
        random_(options.seed) {
    if (graph_.parameters().empty())
      throw UsageError("train", "a graph without weights, expected one to train");
  }

  void run_epoch(int epoch, const ProgressFn& progress) {
    const std::vector<std::int64_t> order = random_row_order(images_.size(0), random_);
    const auto count = static_cast<std::int64_t>(order.size());
    const torch::Tensor rows = torch::tensor(order, at::kLong);
    double loss = 0;
    std::int64_t right = 0;
    for (std::int64_t batch = 0; batch < batches_; ++batch) {
      const std::int64_t first = batch * batch_size_;
      const std::int64_t last = std::min(first + batch_size_, count);
      const std::int64_t step = (epoch - 1) * batches_ + batch;
      set_learning_rate(step);
      const BatchResult result = step_on(rows.slice(0, first, last));
      loss += result.loss * static_cast<double>(last - first);
      right += result.right;
      if (!std::isfinite(loss))
        throw UsageError(
            "train", fmt::format("the loss of epoch {} is not finite, got a learning rate of {}, expected a "
                                 "lower one (or smaller pixels)",
                                 epoch, options_.learning_rate));
      if (!progress) continue;
      const auto seen = static_cast<double>(last);
      progress({.report = {.epoch = epoch,
                           .epochs = options_.epochs,
                           .loss = loss / seen,
                           .accuracy = static_cast<double>(right) / seen,
                           .seconds = seconds_since(start_)},
                .fraction = static_cast<double>(step + 1) / static_cast<double>(steps()),
                .epoch_ended = last == count});
    }
  }

  const std::vector<Parameter>& parameters() const { return graph_.parameters(); }

 private:
  struct BatchResult {
    double loss = 0;
    std::int64_t right = 0;
  };

  std::int64_t steps() const { return options_.epochs * batches_; }

  void set_learning_rate(std::int64_t step) {
    const double done = static_cast<double>(step) / static_cast<double>(steps());
    const double rate = options_.learning_rate * (1.0 + std::cos(std::numbers::pi * done)) / 2.0;
    for (auto& group : optimizer_.param_groups())
      static_cast<torch::optim::AdamWOptions&>(group.options()).lr(rate);
  }

  BatchResult step_on(const torch::Tensor& rows) {
    const torch::Tensor images = images_.index_select(0, rows);
    const torch::Tensor labels = labels_.index_select(0, rows);
    const torch::Tensor logits = graph_.run(std::span(&images, 1)).at(0);
    const torch::Tensor loss = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean,
                                                      /*ignore_index=*/-100, options_.label_smoothing);
    optimizer_.zero_grad();
    loss.backward();
    optimizer_.step();
    return {.loss = loss.item<double>(), .right = logits.argmax(1).eq(labels).sum().item<std::int64_t>()};
  }

  TrainOptions options_;
  TorchGraph graph_;
  torch::Tensor images_;
  torch::Tensor labels_;
  std::int64_t batch_size_;
  std::int64_t batches_;  // an epoch
  torch::optim::AdamW optimizer_;
  std::mt19937_64 random_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

ir::Graph train(const ir::Graph& graph, const Tensor& images, std::span<const std::int32_t> labels,
                const TrainOptions& options, const ProgressFn& progress) {
  check_options(options);
  const ir::Graph logits = logits_graph(graph);
  check_rows(logits, images, labels);
  make_deterministic(options);
  Training training(logits, images, labels, options);
  for (int epoch = 1; epoch <= options.epochs; ++epoch) training.run_epoch(epoch, progress);
  ir::Graph trained = graph;
  for (const Parameter& parameter : training.parameters())
    trained.value(*trained.find(parameter.name)).constant = from_torch(parameter.tensor);
  return trained;
}

}  // namespace halftone::qat
