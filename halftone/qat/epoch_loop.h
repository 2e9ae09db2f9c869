// Epochs of batches in random order, under rates that follow a schedule: what every training shares.
#pragma once

#include <functional>
#include <vector>

#include "halftone/qat/hooks.h"
#include "halftone/qat/learner.h"

namespace halftone::qat {

// Rows whose accuracy is told each epoch; they may be none.
struct Judged {
  Rows held_out;
  Rows test;
};

// Sees every row once an epoch; a batch is that of all ranks together. `best`: the learner is better than after every epoch before, by rows
// that are held out, else by its own. The same seed, rows, machine, threads and ranks give the same bytes, stopped and resumed or not.
// Throws UsageError where the loss or what is trained stops being finite; what a checkpoint holds is sound.
std::vector<EpochReport> run_epochs(Learner& learner, const Judged& judged, const TrainOptions& options, const Hooks& hooks,
                                    const std::function<void()>& best);

// How many steps that are.
std::int64_t steps_of(std::int64_t rows, const TrainOptions& options);

}  // namespace halftone::qat
