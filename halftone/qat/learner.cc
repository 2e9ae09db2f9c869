#include "halftone/qat/learner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/qat/augment.h"

namespace halftone::qat {
namespace {

constexpr double kCollapsed = 13.8;  // |ln(s/s0)| beyond which a step is a million times what it was, or a millionth

torch::Tensor channels_last(const torch::Tensor& x) { return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x; }

// `freeze`: what is remembered of oscillations is there from the start, for checkpoints.
std::vector<NamedTensor> trained_of(const TorchGraph& graph, FakeQuantized* quantized, double freeze) {
  if (quantized != nullptr && freeze > 0) quantized->freeze_oscillating(freeze);
  if (quantized != nullptr) return quantized->tensors();
  std::vector<NamedTensor> all;
  for (const Parameter& parameter : graph.parameters())
    all.push_back({parameter.name, parameter.tensor, parameter.tensor.dim() >= 2 ? Role::weights : Role::vector});
  return all;
}

}  // namespace

Rows::Rows(const Examples& examples) {
  if (examples.images.size() > 0) images = channels_last(view_as_torch(examples.images, "images"));
  if (!examples.labels.empty()) labels = torch::tensor(examples.labels).to(at::kLong);
}

torch::Tensor Rows::take(const torch::Tensor& rows) const {
  if (images.dim() != 4) return images.index_select(0, rows);
  const torch::Tensor flat = images.permute({0, 2, 3, 1}).view({images.size(0), -1});  // as it lies in memory
  return flat.index_select(0, rows).view({rows.size(0), images.size(2), images.size(3), images.size(1)}).permute({0, 3, 1, 2});
}

Learner::Learner(const LearnerParts& parts, const TrainOptions& options, const LossOptions& loss, std::int64_t steps)
    : options_(options),
      loss_(loss),
      graph_(parts.logits),
      quantized_(parts.quantized),
      rows_(parts.examples),
      ranks_(parts.ranks),
      trained_(trained_of(graph_, quantized_, loss.freeze)),
      optimizer_(trained_, options, options.weight_decay / std::sqrt(static_cast<double>(steps))) {
  if (std::ranges::none_of(trained_, [](const NamedTensor& t) { return t.role == Role::weights || t.role == Role::vector; }))
    throw UsageError("train", "a graph without weights, expected one to train");
  if (parts.teacher != nullptr) teacher_.emplace(*parts.teacher);
  const torch::NoGradGuard guard;
  for (NamedTensor& each : trained_) {
    torch::Tensor values = each.tensor.detach();
    ranks_.broadcast(values);
    if (options.average > 0) averages_.push_back(values.clone());
    best_.push_back(values.clone());
  }
}

torch::Tensor Learner::logits_of(const torch::Tensor& images, const Batch* batch) {
  using Statistics = FakeQuantized::Statistics;
  if (quantized_ != nullptr && batch == nullptr) quantized_->learn(std::nullopt);
  if (quantized_ != nullptr && batch != nullptr) {
    const Statistics of_batch = batch->own > 0 ? Statistics::of_batch : Statistics::of_other_ranks;
    quantized_->learn(WeightRun{loss_.noise, options_.seed * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(batch->step) * 4096},
                      batch->epoch <= loss_.batch_norm_epochs ? of_batch : Statistics::running);
  }
  return graph_.run(std::span(&images, 1), quantized_).at(0);
}

torch::Tensor Learner::log_teacher(const torch::Tensor& images) const {
  const torch::NoGradGuard guard;
  return teacher_->run(std::span(&images, 1)).at(0).log_softmax(1);
}

// `wanted`: log t; undefined where labels alone count.
torch::Tensor Learner::loss_of(const torch::Tensor& logits, const torch::Tensor& wanted, const torch::Tensor& labels) const {
  const auto of_labels = [&] { return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, /*ignore_index=*/-100, options_.label_smoothing); };
  if (!wanted.defined()) return of_labels();
  const torch::Tensor divergence = (wanted.exp() * (wanted - logits.log_softmax(1))).sum(1).mean();
  if (loss_.label_weight == 0) return divergence;
  return loss_.label_weight * of_labels() + (1.0 - loss_.label_weight) * divergence;
}

BatchResult Learner::step_on(const Batch& batch) {
  optimizer_.zero_gradients();
  BatchResult result = learn_from(batch);
  result.stop = batch.stop;
  reduce(result);
  optimizer_.step(options_.learning_rate * batch.factor, loss_.step_rate * batch.factor);
  if (loss_.freeze > 0) quantized_->freeze_oscillating(loss_.freeze);
  average();
  return result;
}

// Gradients of this rank's share of the batch's loss.
BatchResult Learner::learn_from(const Batch& batch) {
  const double share = static_cast<double>(batch.own) / static_cast<double>(batch.total);
  const std::uint64_t seed = options_.seed + static_cast<std::uint64_t>(batch.epoch) * 1000003;
  const torch::Tensor images = channels_last(augmented(rows_.take(batch.rows), batch.rows, options_.augmentation, seed));
  const torch::Tensor wanted = teacher_ ? log_teacher(images) : torch::Tensor();
  const torch::Tensor labels = rows_.labels.defined() ? rows_.labels.index_select(0, batch.rows) : wanted.argmax(1);
  const torch::Tensor logits = logits_of(images, &batch);
  torch::Tensor loss = loss_of(logits, wanted, labels);
  const double told = loss.item<double>();
  if (quantized_ != nullptr)
    if (const torch::Tensor more = quantized_->penalty(); more.defined()) loss = loss + more;
  (ranks_.size() > 1 ? loss * share : loss).backward();
  return {.loss = told * share, .right = batch.own > 0 ? logits.argmax(1).eq(labels).sum().item<std::int64_t>() : 0};
}

void Learner::reduce(BatchResult& result) {
  if (ranks_.size() == 1) return;
  std::vector<torch::Tensor> gradients = optimizer_.gradients();
  gradients.push_back(torch::tensor({static_cast<float>(result.loss), static_cast<float>(result.right), result.stop ? 1.0F : 0.0F}));
  torch::Tensor flat = at::cat(gradients);
  ranks_.sum(flat);
  std::int64_t at = 0;
  for (torch::Tensor& each : gradients) {
    each.copy_(flat.narrow(0, at, each.numel()));
    at += each.numel();
  }
  const torch::Tensor& numbers = gradients.back();
  result = {.loss = numbers[0].item<double>(), .right = static_cast<std::int64_t>(numbers[1].item<double>()), .stop = numbers[2].item<float>() > 0.0F};
}

void Learner::average() {
  if (averages_.empty()) return;
  const torch::NoGradGuard guard;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    if (trained_[i].role == Role::memory)
      averages_[i].copy_(trained_[i].tensor);
    else
      averages_[i].mul_(options_.average).add_(trained_[i].tensor, 1.0 - options_.average);
  }
}

Judgement Learner::judge(const Rows& rows, std::int64_t count) {
  constexpr std::int64_t kTogether = 250;
  const torch::NoGradGuard guard;
  const std::int64_t all = count > 0 ? std::min(count, rows.count()) : rows.count();
  torch::Tensor sums = torch::zeros({2}, at::kDouble);  // right, loss
  for (std::int64_t row = ranks_.rank() * kTogether; row < all; row += kTogether * ranks_.size()) {
    const std::int64_t last = std::min(row + kTogether, all);
    const torch::Tensor images = rows.images.slice(0, row, last);
    const torch::Tensor wanted = teacher_ ? log_teacher(images) : torch::Tensor();
    const torch::Tensor labels = rows.labels.defined() ? rows.labels.slice(0, row, last) : wanted.argmax(1);
    const torch::Tensor logits = logits_of(images, nullptr);
    sums[0] += logits.argmax(1).eq(labels).sum();
    sums[1] += loss_of(logits, wanted, labels) * (last - row);
  }
  ranks_.sum(sums);
  return {sums[0].item<double>() / static_cast<double>(all), sums[1].item<double>() / static_cast<double>(all)};
}

std::vector<NamedTensor> Learner::tensors() const {
  std::vector<NamedTensor> all;
  const auto add = [&](const char* kind, const std::vector<torch::Tensor>& tensors) {
    for (std::size_t i = 0; i < tensors.size(); ++i) all.push_back({fmt::format("{}/{}/{}", kind, i, trained_[i].name), tensors[i], trained_[i].role});
  };
  for (std::size_t i = 0; i < trained_.size(); ++i) all.push_back({fmt::format("now/{}/{}", i, trained_[i].name), trained_[i].tensor, trained_[i].role});
  for (std::size_t i = 0; i < optimizer_.memory().size(); ++i)
    all.push_back({fmt::format("optimizer/{}/{}", i, optimizer_.memory()[i].name), optimizer_.memory()[i].tensor, Role::memory});
  add("average", averages_);
  add("best", best_);
  return all;
}

void Learner::expect_sound() const {
  for (const NamedTensor& each : trained_) {
    if (each.role != Role::memory && !each.tensor.isfinite().all().item<bool>())
      throw UsageError(each.name, "stops being finite in training, expected lower rates");
    if (each.role == Role::step && each.name.ends_with("/step") && each.tensor.abs().max().item<double>() > kCollapsed)
      throw UsageError(each.name, fmt::format("a step has collapsed or run away, got e^{:.1f} of what it was, expected a lower rate of steps", each.tensor.abs().max().item<double>()));
  }
}

void Learner::exchange_averages() {
  const torch::NoGradGuard guard;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const torch::Tensor now = trained_[i].tensor.detach().clone();
    trained_[i].tensor.detach().copy_(averages_[i]);
    averages_[i].copy_(now);
  }
}

void Learner::keep_as_best() {
  const torch::NoGradGuard guard;
  for (std::size_t i = 0; i < trained_.size(); ++i) best_[i].copy_(trained_[i].tensor);
}

void Learner::take_best() {
  const torch::NoGradGuard guard;
  for (std::size_t i = 0; i < trained_.size(); ++i) trained_[i].tensor.detach().copy_(best_[i]);
}

}  // namespace halftone::qat
