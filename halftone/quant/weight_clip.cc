#include "halftone/quant/weight_clip.h"

#include <algorithm>
#include <cmath>

namespace halftone::quant {
namespace {

constexpr int kSteps = 128;
constexpr int kSmallest = 16;

double error_of(const std::vector<float>& weights, const numeric::Range& range,
                     const numeric::WeightSpec& spec, int power) {
  const numeric::Affine affine =
      numeric::affine_from_range(range, spec.format, spec.scheme, spec.power_of_two);
  const double s = affine.scale;
  const double lo = spec.format.qmin() - affine.zero_point;
  const double hi = spec.format.qmax() - affine.zero_point;
  double sum = 0.0;
  for (float w : weights) {
    const double error = w - s * std::clamp(std::nearbyint(w / s), lo, hi);
    sum += power == 1 ? std::fabs(error) : error * error;
  }
  return sum;
}

numeric::Range best_clip(const std::vector<float>& weights, const numeric::Range& full,
                         const numeric::WeightSpec& spec, int power) {
  numeric::Range best = full;
  double least = error_of(weights, full, spec, power);
  for (int step = kSteps - 1; step >= kSmallest; --step) {
    const double part = static_cast<double>(step) / kSteps;
    const numeric::Range range{full.lo * part, full.hi * part};
    const double error = error_of(weights, range, spec, power);
    if (error >= least) continue;
    least = error;
    best = range;
  }
  return best;
}

}  // namespace

std::vector<numeric::Range> clipped_weight_ranges(const Tensor& weights, const numeric::WeightSpec& spec,
                                                  int power) {
  std::vector<numeric::Range> ranges = numeric::weight_ranges(weights, spec);
  const std::vector<std::int32_t> index =
      numeric::affine_index(weights.shape(), numeric::params_from_weights(weights, spec));
  std::vector<std::vector<float>> parts(ranges.size());
  const auto values = weights.data<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    parts[static_cast<std::size_t>(index[i])].push_back(values[i]);
  for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = best_clip(parts[i], ranges[i], spec, power);
  return ranges;
}

}  // namespace halftone::quant
