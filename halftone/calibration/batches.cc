#include "halftone/calibration/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "halftone/base/error.h"
#include "halftone/base/not_a_number.h"
#include "halftone/base/parallel_for.h"

namespace halftone::calibration {

Batch batch_of(const Samples& samples, std::int64_t first, std::int64_t last, const BatchOptions& options) {
  Batch batch{first, last - first, last - first, samples.rows(first, last)};
  if (!options.fixed_batch) return batch;
  batch.rows = std::max(batch.rows, options.batch_size);
  for (std::size_t i = 0; i < batch.inputs.size(); ++i)
    if (!samples.inputs[i].whole) batch.inputs[i] = pad_rows(batch.inputs[i], options.batch_size);
  return batch;
}

void with_batch(const Samples& samples, std::int64_t first, std::int64_t last, const BatchOptions& options,
                const std::function<void(const Batch&)>& body) {
  try {
    body(batch_of(samples, first, last, options));
  } catch (const NotANumber& error) {
    throw error.in_rows_from(first);
  }
}

void for_batches(const Samples& samples, const BatchOptions& options,
                 const std::function<void(const Batch&)>& body) {
  const std::int64_t rows = samples.size();
  if (options.batch_size < 1)
    throw UsageError("batches", fmt::format("batch size, got {}, expected 1 or more", options.batch_size));
  const std::int64_t batches = (rows + options.batch_size - 1) / options.batch_size;
  std::mutex mutex;
  std::int64_t done = 0;
  parallel_for(batches, options.threads, [&](std::int64_t i) {
    const std::int64_t first = i * options.batch_size;
    with_batch(samples, first, std::min(rows, first + options.batch_size), options, body);
    const std::lock_guard lock(mutex);
    ++done;
    if (options.progress) options.progress(static_cast<double>(done) / static_cast<double>(batches));
  });
}

Tensor own_rows(const Tensor& value, const Batch& batch) {
  const bool filled_up = batch.count != batch.rows && value.rank() > 0 && value.dim(0) == batch.rows;
  return filled_up ? value.rows(0, batch.count) : value;
}

Tensor output_rows(const Tensor& output, const Batch& batch, std::string_view where) {
  if (output.rank() > 0 && output.dim(0) == batch.rows) return own_rows(output, batch);
  if (batch.rows == 1) {
    Shape shape = output.shape();
    shape.insert(shape.begin(), 1);
    return output.reshaped(shape);
  }
  throw InputError(where, fmt::format("output of shape {} for {} samples, expected a row each",
                                      to_string(output.shape()), batch.rows));
}

}  // namespace halftone::calibration
