// Samples cut into batches that threads take one after another.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "halftone/calibration/samples.h"
#include "halftone/base/tensor.h"

namespace halftone::calibration {

struct BatchOptions {
  std::int64_t batch_size = 64;
  bool fixed_batch =
      false;  // the network takes no fewer: a short last batch is filled up by repeating its last row
  int threads = 1;
  std::function<void(double)> progress;  // fraction done; one call at a time
};

// Rows [first, first + count) of the samples, prepared; the inputs have `rows` of them, which are more when
// the batch is fixed.
struct Batch {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t rows = 0;
  std::vector<Tensor> inputs;
};

// One of them. `options` decide whether it is filled up.
Batch batch_of(const Samples& samples, std::int64_t first, std::int64_t last, const BatchOptions& options);

// Calls body with one batch. A NaN that it meets is named by its row among all samples.
void with_batch(const Samples& samples, std::int64_t first, std::int64_t last, const BatchOptions& options,
                const std::function<void(const Batch&)>& body);

// Calls body once for every batch, from several threads.
void for_batches(const Samples& samples, const BatchOptions& options,
                 const std::function<void(const Batch&)>& body);

// A value without the rows that fill a fixed batch up; the value itself where it has not a row a sample.
Tensor own_rows(const Tensor& value, const Batch& batch);

// The rows of an output that belong to the batch's samples; an output of a single sample may lack the
// dimension for them. Throws InputError naming `where` when the output has not one row a sample.
Tensor output_rows(const Tensor& output, const Batch& batch, std::string_view where);

}  // namespace halftone::calibration
