// All that a training tells while it runs: lines, a log and a page.
#pragma once

#include <iostream>
#include <string>
#include <vector>

#include "cli/training_options.h"
#include "halftone/qat/hooks.h"
#include "halftone/report/progress.h"

namespace halftone::cli {

// Epochs of one kind: in float, or at the integers.
struct Phase {
  bool quantized = false;
  int before = 0;  // epochs of phases before it
  int all = 0;     // of all phases
  std::string recipe = {};  // of integers, as users read it
};

class TrainingOutput {
 public:
  // Nothing is told or written where `is_first`, of ranks, does not hold.
  TrainingOutput(const TrainingOptions& options, bool is_first);

  // Epochs that are told are `phase`'s from now on; some may be over already.
  void begin(const Phase& phase, const std::vector<qat::EpochReport>& over = {});
  void tell(const qat::TrainProgress& now);
  void erase() { progress_.erase(); }
  const qat::EpochReport& last() const { return epochs_.back().report; }
  double seconds() const { return epochs_.empty() ? 0.0 : seconds_until(epochs_.size() - 1); }  // of all phases

 private:
  struct Epoch {
    Phase phase;
    qat::EpochReport report;
  };
  std::string describe(const qat::EpochReport& report) const;
  double seconds_until(std::size_t epoch) const;
  void write() const;
  std::string csv() const;
  std::string page() const;

  const TrainingOptions& options_;
  bool is_first_;
  report::Progress progress_{std::cerr, report::stderr_options()};
  Phase phase_;
  std::vector<Epoch> epochs_;
};

}  // namespace halftone::cli
