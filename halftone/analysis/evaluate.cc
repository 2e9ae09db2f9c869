#include "halftone/analysis/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::analysis {

std::vector<std::int32_t> predictions(const Tensor& scores) {
  std::vector<std::int32_t> result;
  if (scores.rank() == 0 || scores.size() == 0) return result;
  const std::int64_t classes = scores.size() / scores.dim(0);
  const Tensor real = scores.cast(DType::float32);
  const float* row = real.data<float>().data();
  for (std::int64_t i = 0; i < real.size(); ++i)
    if (std::isnan(row[i]))
      throw InputError("evaluate", fmt::format("score {} of a sample is not a number (NaN)", i % classes));
  for (std::int64_t n = 0; n < scores.dim(0); ++n, row += classes)
    result.push_back(static_cast<std::int32_t>(std::max_element(row, row + classes) - row));
  return result;
}

Rank rank_of(std::span<const float> row, std::int32_t label) {
  const auto own = row.begin() + label;
  return {.larger = std::count_if(row.begin(), row.end(), [&](float other) { return other > *own; }),
          .equal_earlier = std::count(row.begin(), own, *own)};
}

std::int64_t expect_scores(const Tensor& scores, const calibration::Samples& samples, std::string_view where) {
  const auto sizes = std::ranges::count_if(scores.shape().begin() + std::min<std::ptrdiff_t>(1, std::ssize(scores.shape())),
                                           scores.shape().end(), [](std::int64_t size) { return size != 1; });
  if (scores.rank() < 2 || sizes > 1)
    throw InputError(where, fmt::format("output, got shape {}, expected one score for each class in a row a sample",
                                        to_string(scores.shape())));
  const std::int64_t width = product(scores.shape(), 1, scores.rank());
  if (width < samples.classes)
    throw InputError(where, fmt::format("labels of '{}', got {} among them, expected 0 to {}: the output has {} scores",
                                        samples.name, samples.classes - 1, width - 1, width));
  return width;
}

Accuracy evaluate(const ir::Executor& network, const calibration::Samples& samples, const calibration::BatchOptions& options,
                  std::size_t output) {
  if (samples.labels.size() != static_cast<std::size_t>(samples.size()))
    throw InputError("evaluate",
                     fmt::format("{} labels for {} samples", samples.labels.size(), samples.size()));
  Accuracy accuracy;
  accuracy.samples = samples.size();
  accuracy.predictions.resize(static_cast<std::size_t>(accuracy.samples));
  std::vector<Rank> ranks(accuracy.predictions.size());
  calibration::for_batches(samples, options, [&](const calibration::Batch& batch) {
    const Tensor scores = calibration::output_rows(network.run(batch.inputs).at(output), batch, "evaluate");
    const std::int64_t width = expect_scores(scores, samples, "evaluate");
    const std::vector<std::int32_t> predicted = predictions(scores);
    std::ranges::copy(predicted, accuracy.predictions.begin() + batch.first);
    const Tensor real = scores.cast(DType::float32);
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch.count); ++i) {
      const std::size_t row = static_cast<std::size_t>(batch.first) + i;
      ranks[row] = rank_of(
          real.data<float>().subspan(i * static_cast<std::size_t>(width), static_cast<std::size_t>(width)),
          samples.labels[row]);
    }
  });
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const std::int64_t rank = ranks[i].larger + ranks[i].equal_earlier;
    accuracy.correct += rank < 1 ? 1 : 0;
    accuracy.correct_in_5 += rank < 5 ? 1 : 0;
    accuracy.tied += rank >= 1 && ranks[i].larger < 1 ? 1 : 0;
    accuracy.tied_in_5 += rank >= 5 && ranks[i].larger < 5 ? 1 : 0;
  }
  return accuracy;
}

Accuracy evaluate(const ir::Executor& network, const data::Dataset& dataset,
                  const data::Preprocessing& preprocessing, const calibration::BatchOptions& options) {
  return evaluate(network, calibration::samples_of(dataset, preprocessing), options);
}

}  // namespace halftone::analysis
