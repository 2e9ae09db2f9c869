#include "halftone/qat/epoch_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <random>

#include "halftone/base/error.h"
#include "halftone/qat/row_order.h"

namespace halftone::qat {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void run_epochs(std::int64_t count, const LoopOptions& options, const BatchStep& step, const ProgressFn& progress,
                const std::function<void(EpochReport&)>& at_end) {
  const auto start = std::chrono::steady_clock::now();
  std::mt19937_64 random(options.seed);
  const std::int64_t batch_size = std::min(options.batch_size, count);
  const std::int64_t batches = (count + batch_size - 1) / batch_size;
  const auto steps = static_cast<double>(options.epochs * batches);
  double done = 0;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    const torch::Tensor rows = torch::tensor(random_row_order(count, random), at::kLong);
    EpochReport report{.epoch = epoch, .epochs = options.epochs};
    double loss = 0;
    std::int64_t right = 0;
    for (std::int64_t first = 0; first < count; first += batch_size, ++done) {
      const std::int64_t last = std::min(first + batch_size, count);
      const BatchResult result = step(rows.slice(0, first, last), options.learning_rate * (1.0 + std::cos(std::numbers::pi * done / steps)) / 2.0);
      loss += result.loss * static_cast<double>(last - first);
      right += result.right;
      if (!std::isfinite(loss))
        throw UsageError("train", fmt::format("the loss of epoch {} is not finite, got a learning rate of {}, expected a "
                                              "lower one (or smaller pixels)",
                                              epoch, options.learning_rate));
      report.loss = loss / static_cast<double>(last);
      report.accuracy = static_cast<double>(right) / static_cast<double>(last);
      report.seconds = seconds_since(start);
      const bool ended = last == count;
      if (ended && at_end) at_end(report);
      if (progress) progress({.report = report, .fraction = (done + 1.0) / steps, .epoch_ended = ended});
    }
  }
}

}  // namespace halftone::qat
