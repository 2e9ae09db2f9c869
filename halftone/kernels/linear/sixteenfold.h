// A layer whose weights fit 4 bits, with sums 16 times as large: weights of 4 bits become bytes by a mask then. The requantization takes
// the 16 back, so that every integer is the same: acc·m·2^−shift = 16·acc·m·2^−(shift + 4), and 16·acc·(M/16) in float32.
#pragma once

#include "halftone/kernels/linear/linear.h"

namespace halftone::kernels {

// Whether all weights lie within [−8, 7], sums fit int32, shifts the ends of panels, and M/16 is exact.
bool can_be_sixteenfold(const LinearWeights& weights, const Requantization& requantization);

class Sixteenfold {
 public:
  Sixteenfold(const LinearWeights& weights, const Requantization& requantization);
  Sixteenfold(const Sixteenfold&) = delete;
  Sixteenfold& operator=(const Sixteenfold&) = delete;

  // All but the weights themselves, which are those that were given.
  const LinearWeights& weights() const { return weights_; }
  const Requantization& requantization() const { return requantization_; }

 private:
  LinearWeights weights_;
  Requantization requantization_;
  std::vector<std::int32_t> bias_;
  std::vector<std::int64_t> bound_;
  std::vector<TapRange> ranges_;
};

}  // namespace halftone::kernels
