#include "cli/training_identity.h"

#include <fmt/format.h>

#include "halftone/base/digest.h"
#include "halftone/quant/recipe_file.h"

namespace halftone::cli {
namespace {

std::string digest_of(const calibration::Samples& samples) {
  Digest digest;
  for (const calibration::SampledInput& input : samples.inputs) digest.add(input.rows.bytes());
  digest.add(std::as_bytes(std::span(samples.labels)));
  const std::string prepared = data::encode(samples.preprocessing);
  digest.add(std::as_bytes(std::span(prepared)));
  return digest.text();
}

std::string digest_of(const std::string& text) {
  Digest digest;
  digest.add(std::as_bytes(std::span(text)));
  return digest.text();
}

template <typename Number>
std::string text_of(const std::optional<Number>& number) {
  return number ? fmt::format("{}", *number) : "usual";
}

}  // namespace

qat::Identity identity_of(const TrainingOptions& options, const calibration::Samples& samples, const quant::Recipe* recipe, int ranks) {
  return {{"samples", digest_of(samples)},
          {"recipe", recipe != nullptr ? digest_of(quant::to_toml(*recipe)) : "none"},
          {"--bits", recipe != nullptr ? options.recipe.bits : "none"},
          {"--epochs", fmt::format("{}", options.epochs)},
          {"--float-epochs", text_of(options.float_epochs)},
          {"--seed", fmt::format("{}", options.seed)},
          {"--batch-size", fmt::format("{}", options.batch_size)},
          {"--learning-rate", text_of(options.learning_rate)},
          {"--float-learning-rate", text_of(options.float_learning_rate)},
          {"--step-rate", fmt::format("{}", options.step_rate)},
          {"--label-weight", text_of(options.label_weight)},
          {"--label-smoothing", text_of(options.label_smoothing)},
          {"--weight-decay", text_of(options.weight_decay)},
          {"--optimizer", options.optimizer},
          {"--momentum", fmt::format("{}", options.momentum)},
          {"--schedule", options.schedule},
          {"--warmup-epochs", fmt::format("{}", options.warmup_epochs)},
          {"--average", fmt::format("{}", options.average)},
          {"--patience", fmt::format("{}", options.patience)},
          {"--augment", options.augment},
          {"--quantizer", options.quantizer},
          {"--weight-noise", options.weight_noise},
          {"--freeze", fmt::format("{}", options.freeze)},
          {"--batch-norm-epochs", fmt::format("{}", options.batch_norm_epochs)},
          {"--through", options.through},
          {"--no-labels", options.no_labels ? "yes" : "no"},
          {"--held-out", fmt::format("{}", options.held_out)},
          {"--threads", fmt::format("{}", std::max(1, options.data.threads))},
          {"ranks", fmt::format("{}", ranks)}};
}

}  // namespace halftone::cli
