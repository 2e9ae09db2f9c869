// Running a float network over samples to learn how its values are distributed.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "halftone/ir/executor.h"
#include "halftone/ir/graph.h"
#include "halftone/calibration/statistics.h"

namespace halftone::calibration {

struct CalibrationOptions {
  std::int64_t batch_size = 1;  // rows run together: one sample of the statistics
  bool fixed_batch = false;     // the network takes no fewer: a short last batch repeats its last row
  int threads = 1;
  std::function<void(double)> progress;  // fraction done; may come from any thread
  // Sees what is counted, sample by sample; may be called from any thread.
  std::function<void(std::int64_t sample, const ir::Watched&)> also;
};

// Where samples come from: `count` of them, and any range of them as the network's inputs.
struct SampleSource {
  std::int64_t count = 0;
  std::function<std::vector<Tensor>(std::int64_t first, std::int64_t last)>
      inputs;                     // called from many threads
  std::int64_t first_sample = 0;  // what the first counts as, when they are a part of more
};

// The rows of one array, for a network of one input.
SampleSource source_of(const Tensor& samples);

using MakeExecutor = std::function<std::unique_ptr<ir::Executor>(const ir::Graph&)>;

// Samples, and how networks are run over them.
struct Runs {
  SampleSource samples;
  CalibrationOptions options;
  MakeExecutor make_executor;
};

// The names of what a network gives.
std::vector<std::string> output_names(const ir::Graph& graph);

// The statistics of the network's outputs, which have these names. Memory does not depend on the number of
// samples; the table is the same for any number of threads. Throws InputError naming a value that is not
// finite, and the sample. A source fills up a fixed batch itself.
StatisticsTable calibrate(const ir::Executor& network, const std::vector<std::string>& names,
                          const SampleSource& samples, const CalibrationOptions& options);
StatisticsTable calibrate(const ir::Executor& network, const std::vector<std::string>& names,
                          const Tensor& samples, const CalibrationOptions& options);

}  // namespace halftone::calibration
