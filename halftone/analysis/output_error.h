// How far a network's outputs lie from reference outputs, where no class says what is right.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "halftone/calibration/batches.h"
#include "halftone/analysis/channel_error.h"
#include "halftone/analysis/reference.h"
#include "halftone/ir/executor.h"

namespace halftone::analysis {

// y the network's numbers, r the reference's, over all samples.
struct OutputError {
  std::string name;
  std::int64_t compared = 0;
  double cosine = 0.0;        // Σ y·r / (‖y‖·‖r‖); of two zeros 1
  double max_absolute = 0.0;  // max |y − r|
  double relative_rms = 0.0;  // ‖y − r‖ / ‖r‖; of two zeros 0
  std::optional<ChannelError> worst;
};

// Sums are the same for any number of threads. Throws InputError naming the output when it does not have as
// many rows or numbers a row as the reference.
std::vector<OutputError> compare_with(const std::vector<Reference>& references, const ir::Executor& network,
                                      const calibration::Samples& samples, const calibration::BatchOptions& options);

// Every output over all samples, a row each.
std::vector<Tensor> outputs_of(const ir::Executor& network, const calibration::Samples& samples,
                               const calibration::BatchOptions& options);

}  // namespace halftone::analysis
