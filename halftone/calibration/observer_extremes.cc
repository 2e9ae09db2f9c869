// Observers that look at extremes and moments.
#include <algorithm>
#include <cmath>

#include "halftone/calibration/observer.h"

namespace halftone::calibration {

numeric::Range min_max(const Statistics& seen, const Target&, double) { return seen.histogram().range(); }

numeric::Range moving_average(const Statistics& seen, const Target&, double momentum) {
  if (seen.recent().empty()) return {};
  numeric::Range average = seen.recent().begin()->second;
  for (const auto& [index, range] : seen.recent()) {
    average.lo = momentum * average.lo + (1.0 - momentum) * range.lo;
    average.hi = momentum * average.hi + (1.0 - momentum) * range.hi;
  }
  return average;
}

numeric::Range percentile(const Statistics& seen, const Target&, double percent) {
  const Histogram& h = seen.histogram();
  numeric::Range range = h.range();
  if (h.bins().empty()) return range;
  const double wanted = percent * static_cast<double>(h.count()) / 100.0;
  // The end of the bin with which enough values lie at or below, from the side where `step` starts.
  const auto end_of = [&](int first, int step) {
    double below = 0.0;
    for (int bin = first; bin >= 0 && bin < Histogram::kBins; bin += step) {
      const bool passes_zero = step > 0 ? bin == Histogram::kSide : bin == Histogram::kSide - 1;
      if (passes_zero) {
        below += static_cast<double>(h.zeros());
        if (below >= wanted) return 0.0;
      }
      below += static_cast<double>(h.bins()[static_cast<std::size_t>(bin)]);
      if (below >= wanted) return h.middle(bin) + 0.5 * step * h.bin_width();
    }
    return step > 0 ? range.hi : range.lo;
  };
  const double hi = std::min(range.hi, end_of(0, 1));
  const double lo = std::max(range.lo, end_of(Histogram::kBins - 1, -1));
  return {lo, hi};
}

numeric::Range k_sigma(const Statistics& seen, const Target&, double k) {
  const numeric::Range range = seen.histogram().range();
  const double mean = seen.histogram().mean();
  const double reach = k * std::sqrt(seen.histogram().variance());
  return {std::clamp(mean - reach, range.lo, range.hi), std::clamp(mean + reach, range.lo, range.hi)};
}

numeric::Range fixed_point(const Statistics&, const Target& target, double fraction_length) {
  const double scale = std::exp2(-fraction_length);
  return {scale * target.format.qmin(), scale * target.format.qmax()};
}

}  // namespace halftone::calibration
