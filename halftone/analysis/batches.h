// A data set cut into batches that threads take one after another.
#pragma once

#include <cstdint>
#include <functional>

#include "halftone/base/tensor.h"
#include "halftone/data/dataset.h"
#include "halftone/data/preprocessing.h"

namespace halftone::analysis {

struct BatchOptions {
  std::int64_t batch_size = 64;
  bool fixed_batch =
      false;  // the network takes no fewer: a short last batch is filled up by repeating its last row
  int threads = 1;
  std::function<void(double)> progress;  // fraction done; one call at a time
};

// Rows [first, first + count) of the set, preprocessed; images may have more rows when the batch is fixed.
struct Batch {
  std::int64_t first = 0;
  std::int64_t count = 0;
  Tensor images;
};

// Calls body once for every batch, from several threads.
void for_batches(const data::Dataset& dataset, const data::Preprocessing& preprocessing,
                 const BatchOptions& options, const std::function<void(const Batch&)>& body);

}  // namespace halftone::analysis
