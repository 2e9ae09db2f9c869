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

std::int64_t rank_of(std::span<const float> row, std::int32_t label) {
  const float own = row[static_cast<std::size_t>(label)];
  std::int64_t rank = 0;
  for (std::size_t i = 0; i < row.size(); ++i)
    rank += row[i] > own || (row[i] == own && i < static_cast<std::size_t>(label)) ? 1 : 0;
  return rank;
}

Accuracy evaluate(const ir::Executor& network, const data::Dataset& dataset,
                  const data::Preprocessing& preprocessing, const BatchOptions& options) {
  Accuracy accuracy;
  accuracy.samples = dataset.size();
  accuracy.predictions.resize(static_cast<std::size_t>(accuracy.samples));
  std::vector<std::int64_t> ranks(accuracy.predictions.size());
  for_batches(dataset, preprocessing, options, [&](const Batch& batch) {
    const Tensor scores = network.run({&batch.images, 1}).at(0);
    if (scores.rank() < 2 || scores.dim(0) != batch.images.dim(0) ||
        scores.size() / scores.dim(0) < dataset.classes)
      throw InputError("evaluate",
                       fmt::format("output of shape {} for {} samples of {} classes",
                                   to_string(scores.shape()), batch.images.dim(0), dataset.classes));
    const std::vector<std::int32_t> predicted = predictions(scores);
    std::copy_n(predicted.begin(), batch.count, accuracy.predictions.begin() + batch.first);
    const Tensor real = scores.cast(DType::float32);
    const auto width = static_cast<std::size_t>(scores.size() / scores.dim(0));
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch.count); ++i) {
      const std::size_t row = static_cast<std::size_t>(batch.first) + i;
      ranks[row] = rank_of(real.data<float>().subspan(i * width, width), dataset.labels[row]);
    }
  });
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    accuracy.correct += accuracy.predictions[i] == dataset.labels[i] ? 1 : 0;
    accuracy.correct_in_5 += ranks[i] < 5 ? 1 : 0;
  }
  return accuracy;
}

}  // namespace halftone::analysis
