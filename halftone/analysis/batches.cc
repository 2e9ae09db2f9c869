#include "halftone/analysis/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"

namespace halftone::analysis {

void for_batches(const data::Dataset& dataset, const data::Preprocessing& preprocessing,
                 const BatchOptions& options, const std::function<void(const Batch&)>& body) {
  const std::int64_t rows = dataset.size();
  if (options.batch_size < 1)
    throw UsageError("batches", fmt::format("batch size, got {}, expected 1 or more", options.batch_size));
  const std::int64_t batches = (rows + options.batch_size - 1) / options.batch_size;
  std::mutex mutex;
  std::int64_t done = 0;
  parallel_for(batches, options.threads, [&](std::int64_t i) {
    const std::int64_t first = i * options.batch_size;
    const std::int64_t last = std::min(rows, first + options.batch_size);
    const Tensor images = data::apply(preprocessing, dataset.images.rows(first, last));
    body({first, last - first, options.fixed_batch ? pad_rows(images, options.batch_size) : images});
    const std::lock_guard lock(mutex);
    ++done;
    if (options.progress) options.progress(static_cast<double>(done) / static_cast<double>(batches));
  });
}

}  // namespace halftone::analysis
