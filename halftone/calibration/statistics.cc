#include "halftone/calibration/statistics.h"

#include <algorithm>
#include <bit>

namespace halftone::calibration {
namespace {

constexpr std::size_t kLeastPart = 16;

}  // namespace

Statistics::Statistics(Histogram histogram, std::map<std::int64_t, numeric::Range> recent)
    : histogram_(std::move(histogram)), recent_(std::move(recent)) {
  while (recent_.size() > kRecent) recent_.erase(recent_.begin());
}

void Statistics::observe(std::int64_t index, std::span<const float> values, std::int64_t rows) {
  if (values.empty()) return;
  const std::size_t a_row = values.size() / static_cast<std::size_t>(std::max<std::int64_t>(rows, 1));
  const std::size_t of = std::bit_floor(std::clamp<std::size_t>(a_row / kAllOf, 1, kLeastPart));
  add_recent(index, histogram_.observe(values, {of, static_cast<std::uint64_t>(index)}));
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

}  // namespace halftone::calibration
