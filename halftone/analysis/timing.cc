#include "halftone/analysis/timing.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace halftone::analysis {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct Series {
  std::int64_t repeats = 1;
  std::vector<double> seconds;
  std::vector<double> shares;
  double wall = 0.0;
  double cpu = 0.0;
};

// So many runs that a sample is long enough to be measured.
std::int64_t repeats_for(const Contender& contender, double least) {
  contender.run();
  const Clock::time_point start = Clock::now();
  contender.run();
  return std::max<std::int64_t>(1, std::llround(std::ceil(least / std::max(since(start), 1e-8))));
}

// Threads that slept have to be awake, and on cores of their own.
constexpr double kWarmUp = 4e-3;

void warm_up(const Contender& contender, double seconds) {
  const Clock::time_point start = Clock::now();
  do contender.run();
  while (since(start) < seconds);
}

void take_sample(const Contender& contender, const TimingOptions& options, Series& series) {
  if (options.pause > 0) std::this_thread::sleep_for(std::chrono::duration<double>(options.pause));
  warm_up(contender, options.pause > 0 ? kWarmUp : 0.0);
  const double cpu = cpu_seconds();
  const Clock::time_point start = Clock::now();
  for (std::int64_t i = 0; i < series.repeats; ++i) contender.run();
  const double wall = since(start);
  series.wall += wall;
  series.cpu += cpu_seconds() - cpu;
  series.seconds.push_back(wall / static_cast<double>(series.repeats));
  if (!options.ceiling) return;
  const double most = options.ceiling();
  if (most > 0) series.shares.push_back(static_cast<double>(contender.multiply_adds) / series.seconds.back() / most);
}

}  // namespace

double median_of(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<Timing> take_times(const std::vector<Contender>& contenders, const TimingOptions& options) {
  constexpr std::int64_t kLeastRounds = 3;
  std::vector<Series> series(contenders.size());
  for (std::size_t i = 0; i < contenders.size(); ++i) series[i].repeats = repeats_for(contenders[i], options.least_sample);
  const Clock::time_point start = Clock::now();
  for (std::int64_t round = 0; round < kLeastRounds || since(start) < options.seconds; ++round)
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      take_sample(contenders[i], options, series[i]);
      if (options.progress) options.progress(since(start) / options.seconds);
    }
  std::vector<Timing> timings;
  for (std::size_t i = 0; i < contenders.size(); ++i)
    timings.push_back({.name = contenders[i].name,
                       .median = median_of(series[i].seconds),
                       .least = *std::ranges::min_element(series[i].seconds),
                       .share = median_of(series[i].shares),
                       .samples = static_cast<std::int64_t>(series[i].seconds.size()),
                       .quiet = series[i].cpu > 0.97 * series[i].wall});
  return timings;
}

}  // namespace halftone::analysis
