// Files from which a training goes on as if it had not stopped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "halftone/qat/hooks.h"
#include "halftone/qat/quantizers/trained.h"

namespace halftone::qat {

// Between two batches.
struct Place {
  int epoch = 1;
  std::int64_t batch = 0;   // of the epoch, the next one
  double loss = 0;          // sums over the epoch's rows so far
  std::int64_t right = 0;
  std::string random;       // state of the generator before it ordered the epoch's rows
  double seconds = 0;
  double best = -1;         // score of the best epoch so far
  int since_best = 0;       // epochs
  std::vector<EpochReport> reports;  // of the epochs that are over
};

// How far the training that goes on can have come.
struct Extent {
  int epochs = 0;
  std::int64_t batches = 0;  // an epoch
  std::int64_t rows = 0;
};

// An .npz file: every tensor as float32, and `about`, a text in JSON. It appears whole or not at all. Throws SystemError.
void save_checkpoint(const std::filesystem::path& path, const Identity& identity, const Place& place, const std::vector<NamedTensor>& tensors);

// Reads into `tensors`, all of which have to be there in their shapes. Nothing changes when it throws: SystemError for a file that cannot
// be read, InputError for one that is damaged or holds a place that no training comes to, UsageError naming what another was told.
Place load_checkpoint(const std::filesystem::path& path, const Identity& identity, const Extent& extent, const std::vector<NamedTensor>& tensors);

}  // namespace halftone::qat
