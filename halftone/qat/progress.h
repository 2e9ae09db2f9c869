// The state of a training that runs, as it is told.
#pragma once

#include <functional>
#include <optional>

namespace halftone::qat {

struct EpochReport {
  int epoch = 0;  // from 1
  int epochs = 0;
  double loss = 0;      // mean over the epoch's rows so far, each as it was when its batch was seen
  double accuracy = 0;  // of the same rows, 0 to 1
  std::optional<double> held_out = {};    // accuracy on rows that training does not see, once the epoch is over
  std::optional<double> held_out_loss = {};
  std::optional<double> test = {};        // likewise on test rows, where these are asked for
  std::optional<double> first_test = {};  // on the first 100 of them
  double seconds = 0;   // since training began, without those between a stop and a resumption
};

// Called after every batch, `fraction` of the whole training being done, and `report` complete when
// `epoch_ended`.
struct TrainProgress {
  EpochReport report;
  double fraction = 0;
  bool epoch_ended = false;
};
using ProgressFn = std::function<void(const TrainProgress&)>;

}  // namespace halftone::qat
