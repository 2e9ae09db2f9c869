#include "halftone/qat/train_options.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::qat {

void check(const TrainOptions& options) {
  constexpr double kLargestRate = 1000;  // far more than any use; torch throws for what no float32 holds
  const auto expect = [](bool holds, std::string_view option, auto got, std::string_view expected) {
    if (!holds) throw UsageError("train", fmt::format("{}, got {}, expected {}", option, got, expected));
  };
  expect(options.epochs >= 1, "number of epochs", options.epochs, "1 or more");
  expect(options.batch_size >= 1, "batch size", options.batch_size, "1 or more");
  expect(options.learning_rate > 0 && options.learning_rate <= kLargestRate, "learning rate", options.learning_rate, "above 0, up to 1000");
  expect(options.weight_decay >= 0 && options.weight_decay <= kLargestRate, "weight decay", options.weight_decay, "0 to 1000");
  expect(options.label_smoothing >= 0 && options.label_smoothing < 1, "label smoothing", options.label_smoothing, "0 or more, below 1");
  expect(options.momentum >= 0 && options.momentum < 1, "momentum", options.momentum, "0 or more, below 1");
  expect(options.warmup_epochs >= 0 && options.warmup_epochs <= options.epochs, "epochs of warm-up", options.warmup_epochs, "0 to all epochs");
  expect(options.average >= 0 && options.average < 1, "average of weights", options.average, "0 or more, below 1");
  expect(options.patience >= 0, "patience", options.patience, "0 or more epochs");
  expect(options.threads >= 1, "number of threads", options.threads, "1 or more");
}

}  // namespace halftone::qat
