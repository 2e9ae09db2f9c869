// Networks whose answer for one sample depends on the samples it is run with.
#pragma once

#include <optional>
#include <string>

#include "halftone/analysis/batches.h"
#include "halftone/ir/executor.h"

namespace halftone::analysis {

struct MixedSamples {
  std::size_t output = 0;   // by its place
  double change = 0.0;      // max |y − y'|, y of the first sample by itself, y' of it beside the second
  double largest = 0.0;     // max |y|
};

// The output that changes most, relative to its largest number; nothing where none changes by more than kSameAnswer of
// it, or where there are fewer than two samples. A Softmax or a mean over dimension 0 is the usual cause.
std::optional<MixedSamples> mixed_samples(const ir::Executor& network, const Samples& samples, const BatchOptions& options);

inline constexpr double kSameAnswer = 1e-3;  // float sums of another order stay far below

}  // namespace halftone::analysis
