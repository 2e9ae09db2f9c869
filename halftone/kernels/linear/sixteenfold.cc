#include "halftone/kernels/linear/sixteenfold.h"

#include <algorithm>

namespace halftone::kernels {
namespace {

constexpr int kMostShift = 62 - 4;  // that the ends of panels take

// Wraps, as sums do: the last one fits.
void multiply(std::vector<std::int32_t>& bias) {
  for (std::int32_t& b : bias) b = static_cast<std::int32_t>(16 * static_cast<std::uint32_t>(b));
}

}  // namespace

bool can_be_sixteenfold(const LinearWeights& weights, const Requantization& requantization) {
  return std::ranges::all_of(weights.bound, [](std::int64_t bound) { return bound <= INT32_MAX / 16; }) &&
         std::ranges::all_of(requantization.shift, [](int shift) { return shift <= kMostShift; }) &&
         std::ranges::all_of(requantization.M, [](float M) { return M / 16 * 16 == M; }) &&
         std::ranges::all_of(weights.w, [](int w) { return w >= -8 && w <= 7; });
}

Sixteenfold::Sixteenfold(const LinearWeights& weights, const Requantization& requantization)
    : weights_(weights),
      requantization_(requantization),
      bias_(weights.bias.begin(), weights.bias.end()),
      bound_(weights.bound.begin(), weights.bound.end()),
      ranges_(weights.ranges.begin(), weights.ranges.end()) {
  multiply(bias_);
  for (TapRange& range : ranges_) multiply(range.bias);
  for (std::int64_t& bound : bound_) bound *= 16;
  for (int& shift : requantization_.shift) shift += 4;
  for (float& M : requantization_.M) M /= 16;
  weights_.bias = bias_;
  weights_.bound = bound_;
  weights_.ranges = ranges_;
}

}  // namespace halftone::kernels
