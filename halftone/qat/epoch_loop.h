// Epochs of batches in random order, under a rate that falls along a half cosine: what every training shares.
#pragma once

#include <torch/types.h>

#include <functional>

#include "halftone/qat/progress.h"

namespace halftone::qat {

struct LoopOptions {
  int epochs = 1;
  std::uint64_t seed = 1;  // the order of the rows
  std::int64_t batch_size = 32;
  double learning_rate = 1e-3;  // of step t among T: learning_rate·(1 + cos(π·t/T))/2
};

struct BatchResult {
  double loss = 0;  // mean over the batch
  std::int64_t right = 0;
};

// Learns from the rows (int64 [n]) at the rate that is given.
using BatchStep = std::function<BatchResult(const torch::Tensor& rows, double learning_rate)>;

// Sees each of `count` rows once an epoch. `at_end` completes the report of an epoch that is over. Throws UsageError where the loss
// stops being finite.
void run_epochs(std::int64_t count, const LoopOptions& options, const BatchStep& step, const ProgressFn& progress,
                const std::function<void(EpochReport&)>& at_end = {});

}  // namespace halftone::qat
