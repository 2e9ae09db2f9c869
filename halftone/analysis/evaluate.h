// How often a network is right.
#pragma once

#include <span>

#include "halftone/calibration/batches.h"
#include "halftone/ir/executor.h"

namespace halftone::analysis {

struct Accuracy {
  std::int64_t samples = 0;
  std::int64_t correct = 0;
  std::int64_t correct_in_5 = 0;          // the label is among the five largest
  std::int64_t tied = 0;                  // not correct, and as large as the largest
  std::int64_t tied_in_5 = 0;             // not correct in 5, and as large as the fifth largest
  std::vector<std::int32_t> predictions;  // by row

  // 0 to 100, of `count` among the samples.
  double percent(std::int64_t count) const {
    return samples == 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(samples);
  }
  double percent() const { return percent(correct); }
};

// The class of a row is the largest of the output's numbers for it, the first among equal ones. Throws
// InputError when the output has not one row a sample, or fewer numbers than the samples have classes.
Accuracy evaluate(const ir::Executor& network, const calibration::Samples& samples, const calibration::BatchOptions& options,
                  std::size_t output = 0);
Accuracy evaluate(const ir::Executor& network, const data::Dataset& dataset,
                  const data::Preprocessing& preprocessing, const calibration::BatchOptions& options);

// How many of a row's numbers come before the one at `label`: the larger ones, and the equal ones that stand
// earlier. Integers of 8 bits are often equal.
struct Rank {
  std::int64_t larger = 0;
  std::int64_t equal_earlier = 0;
  bool operator==(const Rank&) const = default;
};
Rank rank_of(std::span<const float> row, std::int32_t label);

// How many numbers a row of scores [N, classes] has, sizes of 1 among them. Throws InputError naming `where` when it is no
// row of scores, or too short for the samples' labels.
std::int64_t expect_scores(const Tensor& scores, const calibration::Samples& samples, std::string_view where);

// The row-wise argmax of a float32 tensor, rows being its first dimension.
std::vector<std::int32_t> predictions(const Tensor& scores);

}  // namespace halftone::analysis
