#include "halftone/analysis/sweep.h"

#include <algorithm>
#include <mutex>

#include "halftone/analysis/evaluate.h"
#include "halftone/base/parallel_for.h"

namespace halftone::analysis {
namespace {

// How far all networks together are, from how far each is.
class SharedProgress {
 public:
  SharedProgress(std::span<const SweepCell> cells, const std::function<void(double)>& report)
      : report_(report) {
    for (const SweepCell& cell : cells)
      networks_ += std::ranges::count_if(cell, [](const MakeNetwork& make) { return make != nullptr; });
  }

  // Counts of one network; the calls for one come one after another.
  std::function<void(double)> of_network() {
    return [this, before = 0.0](double done) mutable {
      const std::lock_guard lock(mutex_);
      sum_ += done - before;
      before = done;
      if (report_) report_(std::min(1.0, sum_ / static_cast<double>(networks_)));
    };
  }

 private:
  const std::function<void(double)>& report_;
  std::mutex mutex_;
  std::int64_t networks_ = 0;
  double sum_ = 0.0;
};

}  // namespace

void sweep(std::span<const SweepCell> cells, const calibration::Samples& samples, const SweepOptions& options) {
  const auto count = static_cast<std::int64_t>(cells.size());
  const int at_once = static_cast<int>(std::clamp<std::int64_t>(count, 1, options.batches.threads));
  SharedProgress progress(cells, options.batches.progress);
  std::mutex mutex;
  parallel_for(count, at_once, [&](std::int64_t i) {
    CellCounts counts;
    for (const MakeNetwork& make : cells[static_cast<std::size_t>(i)]) {
      counts.emplace_back();
      if (!make) continue;
      calibration::BatchOptions batches = options.batches;
      batches.threads = std::max(1, options.batches.threads / at_once);
      batches.progress = progress.of_network();
      counts.back() = evaluate(*make(), samples, batches, options.output).correct;
    }
    const std::lock_guard lock(mutex);
    if (options.done) options.done(static_cast<std::size_t>(i), counts);
  });
}

}  // namespace halftone::analysis
