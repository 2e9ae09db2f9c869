// One network that learns from batches: forward, loss, backward, step. Its memory is laid open for checkpoints.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "halftone/qat/fake_quantized.h"
#include "halftone/qat/optimizer.h"
#include "halftone/qat/ranks.h"
#include "halftone/qat/torch_graph.h"
#include "halftone/qat/train_options.h"

namespace halftone::qat {

struct BatchResult {
  double loss = 0;  // mean over the batch of all ranks, without penalty
  std::int64_t right = 0;
  bool stop = false;  // a rank was asked to
};

struct Judgement {
  double accuracy = 0;  // the share whose class is right
  double loss = 0;      // mean of Learner's, without penalty
};

// Rows as torch takes them, pictures channels-last: as convolutions read them fastest.
struct Rows {
  Rows() = default;
  explicit Rows(const Examples& examples);
  std::int64_t count() const { return images.defined() ? images.size(0) : 0; }
  // Pictures of rows (int64 [n]), channels-last too.
  torch::Tensor take(const torch::Tensor& rows) const;
  torch::Tensor images;  // undefined: none
  torch::Tensor labels;  // undefined: none
};

struct LearnerParts {
  const ir::Graph& logits;              // its only output is [N, classes]
  FakeQuantized* quantized = nullptr;   // none: it learns in float
  const ir::Graph* teacher = nullptr;   // its only output is logits too; none: labels alone count
  const Examples& examples;
  const Ranks& ranks;
};

// Beside those of all training.
struct LossOptions {
  double label_weight = 1.0;  // of the cross-entropy; the rest is the divergence from the teacher
  double step_rate = 0.0;     // of steps, relative to the schedule as the learning rate is
  WeightNoise noise = WeightNoise::none;
  double freeze = 0.0;        // share of freeze_oscillating; 0: never
  int batch_norm_epochs = 0;  // in which layers are normalized by the statistics of the batch
};

// The loss is label_weight·H(labels, p) + (1 − label_weight)·D(t ‖ p) + penalty, with p the softmax of the logits and t that of the teacher
// on the same pictures; without labels the teacher's class is what is right. `steps` is how many there will be.
class Learner {
 public:
  Learner(const LearnerParts& parts, const TrainOptions& options, const LossOptions& loss, std::int64_t steps);

  // One step on the rows (int64 [n]) of this rank; `total` is the number of all ranks' rows, `factor` that of rates, `epoch` decides
  // augmentation, `step` noise.
  struct Batch {
    torch::Tensor rows;   // one at least
    std::int64_t own = 0;  // how many of them count: 0 of a rank that has none, so that ranks exchange alike
    std::int64_t total = 0;
    double factor = 1.0;
    int epoch = 1;
    std::int64_t step = 0;
    bool stop = false;
  };
  BatchResult step_on(const Batch& batch);

  std::int64_t rows() const { return rows_.count(); }
  const Ranks& ranks() const { return ranks_; }
  // On rows, the first `count` where count > 0; all ranks count together.
  Judgement judge(const Rows& rows, std::int64_t count = 0);

  // Everything, as it is between two batches.
  std::vector<NamedTensor> tensors() const;
  void set_count(std::int64_t steps) { optimizer_.set_count(steps); }
  // Throws UsageError naming a weight or step that is not finite, or a step that has collapsed.
  void expect_sound() const;

  // All that is trained is exchanged with its average; nothing happens where there is none.
  void exchange_averages();
  void keep_as_best();
  void take_best();
  const std::vector<NamedTensor>& trained() const { return trained_; }

 private:
  // `batch`: learns from it; none: does not learn.
  torch::Tensor logits_of(const torch::Tensor& images, const Batch* batch);
  torch::Tensor log_teacher(const torch::Tensor& images) const;
  torch::Tensor loss_of(const torch::Tensor& logits, const torch::Tensor& wanted, const torch::Tensor& labels) const;
  BatchResult learn_from(const Batch& batch);
  // Adds up gradients, and the result, over ranks.
  void reduce(BatchResult& result);
  void average();

  TrainOptions options_;
  LossOptions loss_;
  TorchGraph graph_;
  FakeQuantized* quantized_;
  std::optional<TorchGraph> teacher_;
  Rows rows_;
  const Ranks& ranks_;
  std::vector<NamedTensor> trained_;  // and the memory of quantizers
  Optimizer optimizer_;
  std::vector<torch::Tensor> averages_;  // of trained_; none where nothing is averaged
  std::vector<torch::Tensor> best_;
};

}  // namespace halftone::qat
