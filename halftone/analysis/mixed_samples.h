// Networks whose answer for one sample depends on the samples it is run with.
#pragma once

#include <optional>
#include <string>

#include "halftone/calibration/batches.h"
#include "halftone/ir/executor.h"

namespace halftone::analysis {

struct MixedSamples {
  std::size_t output = 0;   // by its place
  std::int64_t sample = 0;  // whose answer changes
  double change = 0.0;      // max |y − y'|, y of the sample by itself, y' of it in one batch with the others
  double largest = 0.0;     // max |y|
};

// The first kTried samples, at most a batch of them, are run each by itself and together; of a fixed batch the last alone. The output that changes most, relative to its largest
// number; nothing where none changes by more than kSameAnswer of it, where there are fewer than two samples, or where the network does not take them. Usual causes
// are a Softmax or a mean over dimension 0, and ranges that are taken of a whole batch.
std::optional<MixedSamples> mixed_samples(const ir::Executor& network, const calibration::Samples& samples, const calibration::BatchOptions& options);

inline constexpr std::int64_t kTried = 8;
inline constexpr double kSameAnswer = 1e-3;  // float sums of another order stay far below

}  // namespace halftone::analysis
