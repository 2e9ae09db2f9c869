// All that a caller of training may ask for beside the result.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "halftone/qat/progress.h"

namespace halftone::qat {

// All that a training is told and reads, by name: one that goes on has to be told the same.
using Identity = std::map<std::string, std::string>;

struct Keeping {
  std::filesystem::path file;  // is written after every epoch, and
  double seconds = 600;        // after so long, and when training is asked to stop
  bool resumes = false;        // begins where the file is, if it is there
  Identity identity;           // what the caller knows of the training
};

struct Hooks {
  int epochs_before = 0;  // of trainings before this one: errors and Stopped count epochs on from there, reports do not
  ProgressFn progress;
  std::function<bool()> stop;  // asked after every batch: ends it with Stopped
  std::optional<Keeping> keeping;
  std::function<void(const std::vector<EpochReport>&)> resumed;  // told the epochs that are over
};

// Training was asked to stop, and did.
struct Stopped {
  int epoch = 0;
  bool is_kept = false;  // in a checkpoint
};

}  // namespace halftone::qat
