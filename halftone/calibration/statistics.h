// Statistics that calibration keeps of one value of the network: enough for every observer to choose its range, in memory
// that does not depend on the number of samples.
#pragma once

#include <map>
#include <string>

#include "halftone/calibration/histogram.h"

namespace halftone::calibration {

class Statistics {
 public:
  Statistics() = default;
  Statistics(Histogram histogram, std::map<std::int64_t, numeric::Range> recent);

  // Ranges of the newest samples, which the moving average remembers; what is older weighs less than a rounding.
  static constexpr std::size_t kRecent = 512;

  // Values a row of which the histogram takes every one; of more, it takes a part: a half from twice as many, down to a
  // 16th. Of neighbours that are so alike these say as much, in a fraction of the time; extremes are of all.
  static constexpr std::size_t kAllOf = 1024;

  // The values of sample `index`, each sample once, of so many rows. Throws InputError for NaN or infinity.
  void observe(std::int64_t index, std::span<const float> values, std::int64_t rows = 1);
  // Exact, in any order: shards and threads give the same statistics.
  void merge(const Statistics& other);

  const Histogram& histogram() const { return histogram_; }
  // Smallest and largest value of the newest samples, by index.
  const std::map<std::int64_t, numeric::Range>& recent() const { return recent_; }

  bool operator==(const Statistics&) const = default;

 private:
  void add_recent(std::int64_t index, const numeric::Range& range);

  Histogram histogram_;
  std::map<std::int64_t, numeric::Range> recent_;
};

using StatisticsTable = std::map<std::string, Statistics, std::less<>>;

}  // namespace halftone::calibration
