// Sums over batches that are the same for any number of threads, in memory that does not grow with them.
#pragma once

#include <algorithm>
#include <functional>
#include <mutex>
#include <vector>

#include "halftone/calibration/batches.h"
#include "halftone/base/parallel_for.h"

namespace halftone::analysis {

// Calls `part` once for every batch, from several threads, and `add` with what came of it, one batch after
// the other in their order. At most 64 parts wait to be added.
template <typename Part>
void sum_batches(const calibration::Samples& samples, const calibration::BatchOptions& options,
                 const std::function<Part(const calibration::Batch&)>& part, const std::function<void(const Part&)>& add) {
  constexpr std::int64_t kRound = 64;
  const std::int64_t size = std::max<std::int64_t>(options.batch_size, 1);
  const std::int64_t batches = (samples.size() + size - 1) / size;
  std::mutex mutex;
  std::int64_t done = 0;
  for (std::int64_t begin = 0; begin < batches; begin += kRound) {
    std::vector<Part> parts(static_cast<std::size_t>(std::min(kRound, batches - begin)));
    parallel_for(static_cast<std::int64_t>(parts.size()), options.threads, [&](std::int64_t i) {
      const std::int64_t first = (begin + i) * size;
      const std::int64_t last = std::min(samples.size(), first + size);
      calibration::with_batch(samples, first, last, options,
                 [&](const calibration::Batch& batch) { parts[static_cast<std::size_t>(i)] = part(batch); });
      const std::lock_guard lock(mutex);
      ++done;
      if (options.progress) options.progress(static_cast<double>(done) / static_cast<double>(batches));
    });
    for (const Part& each : parts) add(each);
  }
}

}  // namespace halftone::analysis
