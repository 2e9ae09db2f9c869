// Whether a network gives right classes, and the preparation of pixels and labels with which it would.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "halftone/calibration/batches.h"
#include "halftone/ir/executor.h"

namespace halftone::analysis {

struct PreparationTrial {
  data::Preprocessing preprocessing;
  std::int64_t label_offset = 0;  // in all, with what Samples::label_offset has already
  double percent = 0.0;           // right classes
};

// Whether so many right answers in percent are few for so many classes: of what chance leaves (100/classes), at most a
// quarter.
bool is_near_chance(double percent, int classes);

// The samples as they are first, then, when `all` are to be tried, every other preset where they are pixels, and labels
// moved up where the output has more numbers than there are classes, and down where none of them is 0. Empty when the samples have no labels, or the
// output is not a row of scores for them.
std::vector<PreparationTrial> try_preparations(const ir::Executor& network, const calibration::Samples& samples,
                                               const calibration::BatchOptions& options, std::size_t output, bool all);

// Right classes among samples that calibration runs anyway.
class FirstLook {
 public:
  // `output` is the place of the scores among the network's outputs; a sample of calibration is so many rows of `samples`.
  FirstLook(const calibration::Samples& samples, std::size_t output, std::int64_t rows_a_sample);

  void see(std::int64_t sample, const ir::Watched& watched);  // from any thread

  // Nothing where the output is no row of scores for the labels.
  std::optional<double> percent() const;

 private:
  const calibration::Samples& samples_;
  std::size_t output_;
  std::int64_t rows_a_sample_;
  std::atomic<std::int64_t> seen_{0};
  std::atomic<std::int64_t> right_{0};
};

// The trial after the first that is far better than it: by 20 points, and not near chance. nullptr when there is none.
const PreparationTrial* far_better(const std::vector<PreparationTrial>& trials, int classes);

}  // namespace halftone::analysis
