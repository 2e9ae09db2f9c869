#include "halftone/qat/train.h"

#include <ATen/Context.h>
#include <fmt/format.h>
#include <torch/optim/adamw.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/qat/epoch_loop.h"
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

class Training {
 public:
  Training(const ir::Graph& logits, const Tensor& images, std::span<const std::int32_t> labels,
           const TrainOptions& options)
      : options_(options),
        graph_(logits),
        images_(view_as_torch(images, "images")),
        labels_(
            at::from_blob(const_cast<std::int32_t*>(labels.data()), {images.dim(0)}, at::kInt).to(at::kLong)),
        optimizer_(make_optimizer(graph_.parameters(), steps_of(images.dim(0), options), options)) {
    if (graph_.parameters().empty())
      throw UsageError("train", "a graph without weights, expected one to train");
  }

  BatchResult step_on(const torch::Tensor& rows, double learning_rate) {
    for (auto& group : optimizer_.param_groups())
      static_cast<torch::optim::AdamWOptions&>(group.options()).lr(learning_rate);
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

  const std::vector<Parameter>& parameters() const { return graph_.parameters(); }

 private:
  static std::int64_t steps_of(std::int64_t rows, const TrainOptions& options) {
    const std::int64_t batch_size = std::min(options.batch_size, rows);
    return options.epochs * ((rows + batch_size - 1) / batch_size);
  }

  TrainOptions options_;
  TorchGraph graph_;
  torch::Tensor images_;
  torch::Tensor labels_;
  torch::optim::AdamW optimizer_;
};

}  // namespace

ir::Graph train(const ir::Graph& graph, const Tensor& images, std::span<const std::int32_t> labels,
                const TrainOptions& options, const ProgressFn& progress) {
  check_options(options);
  const ir::Graph logits = logits_graph(graph);
  check_rows(logits, images, labels);
  if (labels.empty()) throw InputError("train", fmt::format("{} images and 0 labels, expected one label for each of 1 or more images", images.dim(0)));
  make_deterministic(options);
  Training training(logits, images, labels, options);
  run_epochs(images.dim(0), {options.epochs, options.seed, options.batch_size, options.learning_rate},
             [&](const torch::Tensor& rows, double rate) { return training.step_on(rows, rate); }, progress);
  ir::Graph trained = graph;
  for (const Parameter& parameter : training.parameters())
    trained.value(*trained.find(parameter.name)).constant = from_torch(parameter.tensor);
  return trained;
}

}  // namespace halftone::qat
