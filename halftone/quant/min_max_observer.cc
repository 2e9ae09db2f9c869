#include "halftone/quant/min_max_observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::quant {

void MinMaxObserver::observe(std::span<const float> values) {
  for (float v : values) {
    if (!std::isfinite(v))
      throw InputError("calibrate", fmt::format("value is {}, expected a finite number", v));
    lo_ = std::min(lo_, v);
    hi_ = std::max(hi_, v);
  }
}

void MinMaxObserver::merge(const MinMaxObserver& other) {
  lo_ = std::min(lo_, other.lo_);
  hi_ = std::max(hi_, other.hi_);
}

numeric::Range MinMaxObserver::range() const {
  if (lo_ > hi_) return {};
  return {lo_, hi_};
}

}  // namespace halftone::quant
