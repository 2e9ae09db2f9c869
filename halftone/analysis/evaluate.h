// How often a network is right.
#pragma once

#include "halftone/analysis/batches.h"
#include "halftone/ir/executor.h"

namespace halftone::analysis {

struct Accuracy {
  std::int64_t samples = 0;
  std::int64_t correct = 0;
  std::vector<std::int32_t> predictions;  // by row

  // 0 to 100.
  double percent() const {
    return samples == 0 ? 0.0 : 100.0 * static_cast<double>(correct) / static_cast<double>(samples);
  }
};

// The class of a row is the largest of the first output's numbers for it, the first among equal ones.
// Throws InputError when the output has not one row a sample, or fewer numbers than the set has classes.
Accuracy evaluate(const ir::Executor& network, const data::Dataset& dataset,
                  const data::Preprocessing& preprocessing, const BatchOptions& options);

// The row-wise argmax of a float32 tensor, rows being its first dimension.
std::vector<std::int32_t> predictions(const Tensor& scores);

}  // namespace halftone::analysis
