// Running a float network over samples to learn the range of every value.
#pragma once

#include <functional>
#include <map>
#include <string>

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

// The min-max range of every float value. `samples` has one sample a row; memory does not depend on their
// number. The table is the same for any number of threads, and for any batch size when the network computes a
// row alike in every batch. Throws InputError naming a value that is not finite.
RangeTable calibrate(const ir::Executor& network, const Tensor& samples, const CalibrationOptions& options);

}  // namespace halftone::quant
