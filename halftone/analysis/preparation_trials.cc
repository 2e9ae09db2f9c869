#include "halftone/analysis/preparation_trials.h"

#include <algorithm>
#include <optional>

#include "halftone/analysis/evaluate.h"
#include "halftone/analysis/output_error.h"
#include "halftone/base/error.h"

namespace halftone::analysis {
namespace {

constexpr double kFarBetter = 20.0;  // percentage points

std::int64_t width_of(const Tensor& scores) {
  return scores.rank() < 2 || scores.dim(0) == 0 ? 0 : scores.size() / scores.dim(0);
}

// Whether they are a row of scores for each sample, for all classes or all but one.
bool scores_fit(const Tensor& scores, const calibration::Samples& samples) {
  return width_of(scores) >= 2 && width_of(scores) + 1 >= samples.classes - samples.label_offset;
}

// The classes that the network gives; nullopt when its output is no row of scores, or not of numbers.
std::optional<std::vector<std::int32_t>> classes_of(const ir::Executor& network, const calibration::Samples& samples,
                                                    const calibration::BatchOptions& options, std::size_t output,
                                                    std::int64_t& width) {
  try {
    const Tensor scores = outputs_of(network, samples, options).at(output);
    width = width_of(scores);
    if (!scores_fit(scores, samples)) return std::nullopt;
    return predictions(scores);
  } catch (const InputError&) {
    return std::nullopt;
  }
}

double percent_right(const std::vector<std::int32_t>& classes, const std::vector<std::int32_t>& labels,
                     std::int64_t moved) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += classes[i] == labels[i] + moved ? 1 : 0;
  return 100.0 * static_cast<double>(right) / static_cast<double>(labels.size());
}

std::vector<data::Preprocessing> preparations(const calibration::Samples& samples) {
  std::vector<data::Preprocessing> list{samples.preprocessing};
  const auto channels = static_cast<std::size_t>(samples.inputs.at(0).rows.rank() > 1 ? samples.inputs[0].rows.dim(1) : 1);
  for (std::string_view name : data::preset_names()) {
    const data::Preprocessing preset = data::preset(name);
    const bool fits = preset.mean.size() == 1 || preset.mean.size() == channels;
    if (samples.has_pixels() && fits && !data::same_numbers(preset, samples.preprocessing)) list.push_back(preset);
  }
  return list;
}

}  // namespace

bool is_near_chance(double percent, int classes) {
  const double chance = 100.0 / std::max(classes, 1);
  return percent < chance + 0.25 * (100.0 - chance);
}

std::vector<PreparationTrial> try_preparations(const ir::Executor& network, const calibration::Samples& samples,
                                               const calibration::BatchOptions& options, std::size_t output, bool all) {
  std::vector<PreparationTrial> trials;
  if (samples.labels.empty() || samples.size() == 0) return trials;
  for (const data::Preprocessing& preprocessing : preparations(samples)) {
    calibration::Samples prepared = samples;
    prepared.preprocessing = preprocessing;
    std::int64_t width = 0;
    const auto classes = classes_of(network, prepared, options, output, width);
    if (!classes || classes->size() != samples.labels.size()) {
      if (trials.empty()) return trials;
      continue;
    }
    if (!all) return {{preprocessing, samples.label_offset, percent_right(*classes, samples.labels, 0)}};
    const bool from_one = std::ranges::min(samples.labels) >= 1;
    for (std::int64_t moved : {0, 1, -1}) {
      const bool may_move = moved == 0 || (moved > 0 ? width >= samples.classes + moved : from_one);
      if (may_move)
        trials.push_back({preprocessing, samples.label_offset + moved, percent_right(*classes, samples.labels, moved)});
    }
  }
  return trials;
}

FirstLook::FirstLook(const calibration::Samples& samples, std::size_t output, std::int64_t rows_a_sample)
    : samples_(samples), output_(output), rows_a_sample_(rows_a_sample) {}

void FirstLook::see(std::int64_t sample, const ir::Watched& watched) {
  if (watched.output != output_ || samples_.labels.empty() || watched.elements.empty()) return;
  const std::optional<Tensor> scores = ir::tensor_of(watched);
  if (!scores || !scores_fit(*scores, samples_) || scores->dim(0) != rows_a_sample_) return;
  const std::vector<std::int32_t> classes = predictions(*scores);
  const auto first = static_cast<std::size_t>(sample * rows_a_sample_);
  for (std::size_t row = 0; row < classes.size() && first + row < samples_.labels.size(); ++row) {
    ++seen_;
    if (classes[row] == samples_.labels[first + row]) ++right_;
  }
}

std::optional<double> FirstLook::percent() const {
  if (seen_ == 0) return std::nullopt;
  return 100.0 * static_cast<double>(right_) / static_cast<double>(seen_);
}

const PreparationTrial* far_better(const std::vector<PreparationTrial>& trials, int classes) {
  const auto best = std::ranges::max_element(trials, {}, &PreparationTrial::percent);
  if (best == trials.end() || best->percent < trials[0].percent + kFarBetter || is_near_chance(best->percent, classes))
    return nullptr;
  return &*best;
}

}  // namespace halftone::analysis
