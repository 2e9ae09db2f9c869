// Running a float network over samples to learn the range of every value.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "halftone/ir/executor.h"
#include "halftone/numeric/affine.h"

namespace halftone::quant {

using RangeTable = std::map<std::string, numeric::Range, std::less<>>;

struct CalibrationOptions {
  std::int64_t batch_size = 64;
  bool fixed_batch = false;  // the network takes no fewer: a short last batch repeats its last row
  int threads = 1;
  std::function<void(double)> progress;  // fraction done; may come from any thread
};

// Where samples come from: `count` of them, and any range of them as the network's inputs.
struct SampleSource {
  std::int64_t count = 0;
  std::function<std::vector<Tensor>(std::int64_t first, std::int64_t last)>
      inputs;  // called from many threads
};

// The min-max range of every float value. `samples` has one sample a row; memory does not depend on their
// number. The table is the same for any number of threads, and for any batch size when the network computes a
// row alike in every batch. Throws InputError naming a value that is not finite. A source fills up a fixed
// batch itself.
RangeTable calibrate(const ir::Executor& network, const SampleSource& samples,
                     const CalibrationOptions& options);
RangeTable calibrate(const ir::Executor& network, const Tensor& samples, const CalibrationOptions& options);

}  // namespace halftone::quant
