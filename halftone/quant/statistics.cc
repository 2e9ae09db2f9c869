#include "halftone/quant/statistics.h"

#include <algorithm>

namespace halftone::quant {

Statistics::Statistics(Histogram histogram, std::map<std::int64_t, numeric::Range> recent)
    : histogram_(std::move(histogram)), recent_(std::move(recent)) {
  while (recent_.size() > kRecent) recent_.erase(recent_.begin());
}

void Statistics::observe(std::int64_t index, std::span<const float> values) {
  if (values.empty()) return;
  add_recent(index, histogram_.observe(values));
}

void Statistics::merge(const Statistics& other) {
  histogram_.merge(other.histogram_);
  for (const auto& [index, range] : other.recent_) add_recent(index, range);
}

// A sample seen in parts has the union of their ranges.
void Statistics::add_recent(std::int64_t index, const numeric::Range& range) {
  const auto [at, added] = recent_.try_emplace(index, range);
  if (!added) at->second = {std::min(at->second.lo, range.lo), std::max(at->second.hi, range.hi)};
  if (recent_.size() > kRecent) recent_.erase(recent_.begin());
}

}  // namespace halftone::quant
