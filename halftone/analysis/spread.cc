#include "halftone/analysis/spread.h"

#include <algorithm>
#include <cmath>

namespace halftone::analysis {

double Spread::ratio() const { return sigma == 0.0 ? 1.0 : (range.hi - range.lo) / (6.0 * sigma); }

Spread spread_of(const calibration::Histogram& histogram) {
  return {histogram.range(), histogram.mean(), std::sqrt(histogram.variance())};
}

Bins reduced(const calibration::Histogram& histogram, int bins) {
  Bins result{histogram.range().lo, histogram.range().hi,
              std::vector<std::int64_t>(static_cast<std::size_t>(bins))};
  const double width = (result.hi - result.lo) / bins;
  const auto add = [&](double x, std::int64_t count) {
    const double place = width > 0.0 ? std::floor((x - result.lo) / width) : 0.0;
    result.counts[static_cast<std::size_t>(std::clamp(place, 0.0, bins - 1.0))] += count;
  };
  std::int64_t beside_zero = 0;
  const auto fine = histogram.bins();
  for (std::size_t b = 0; b < fine.size(); ++b) {
    if (fine[b] == 0) continue;
    add(histogram.middle(static_cast<int>(b)), fine[b]);
    beside_zero += fine[b];
  }
  add(0.0, histogram.count() - beside_zero);
  return result;
}

}  // namespace halftone::analysis
