// Times of several ways of computing the same, taken in turns.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace halftone::analysis {

struct Contender {
  std::string name;
  std::int64_t multiply_adds = 0;  // of one run
  std::function<void()> run;
};

struct TimingOptions {
  double seconds = 2.0;       // for all contenders together
  double least_sample = 2e-4; // seconds: short runs are repeated
  // Measures what the cores' dot products can do, for some 50 microseconds: multiply-adds a second. May be empty, or give 0.
  std::function<double()> ceiling;
  // Seconds of sleep before each sample: other contenders' threads, which wait for more work by spinning, are asleep then.
  double pause = 0.0;
  std::function<void(double)> progress;  // called with the part that is done; may be empty
};

// Seconds of one run. `share`: of the multiply-adds that the ceiling did a second in bursts right behind the samples, so that
// the clock cancels out; 0 without a ceiling.
struct Timing {
  std::string name;
  double median = 0.0;
  double least = 0.0;
  double share = 0.0;
  std::int64_t samples = 0;
  bool quiet = true;  // the process had its core for nearly all of the time
};

// 0 of none.
double median_of(std::vector<double> values);

// One sample a contender and round, behind a run that is not timed: caches then hold what it needs, and not what another needed. In the
// order of the contenders.
std::vector<Timing> take_times(const std::vector<Contender>& contenders, const TimingOptions& options);

}  // namespace halftone::analysis
