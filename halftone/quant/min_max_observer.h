// The smallest and largest value seen: the plainest observer.
#pragma once

#include <limits>
#include <span>

#include "halftone/numeric/affine.h"

namespace halftone::quant {

// Merging is exact and in any order, so shards and threads give the same range.
class MinMaxObserver {
 public:
  // Throws InputError for NaN or infinity.
  void observe(std::span<const float> values);
  void merge(const MinMaxObserver& other);
  // [0, 0] when nothing was seen.
  numeric::Range range() const;

 private:
  float lo_ = std::numeric_limits<float>::infinity();
  float hi_ = -std::numeric_limits<float>::infinity();
};

}  // namespace halftone::quant
