#include <algorithm>
#include <cmath>

#include "halftone/quant/observer.h"

namespace halftone::quant {
namespace {

// Σ count·|x − x̂|^power over the bins, power 1 or 2, at their middles; inside a step wider than a bin as it is,
// inside finer ones the mean over a step, step/4 or step²/12.
class RoundingError {
 public:
  RoundingError(const Histogram& histogram, const Target& target, int power) : target_(target), power_(power) {
    for (int bin = 0; bin < Histogram::kBins; ++bin)
      if (const std::int64_t count = histogram.bins()[static_cast<std::size_t>(bin)]; count > 0)
        bins_.push_back({histogram.middle(bin), static_cast<double>(count)});
    width_ = histogram.bin_width();
  }

  double of(const numeric::Range& range) const {
    const numeric::Affine affine =
        numeric::affine_from_range(range, target_.format, target_.scheme, target_.power_of_two);
    const double s = affine.scale;
    const double lo = s * (target_.format.qmin() - affine.zero_point);
    const double hi = s * (target_.format.qmax() - affine.zero_point);
    const bool fine = s < 2.0 * width_;
    double sum = 0.0;
    const double inside = power_ == 1 ? s / 4.0 : s / std::sqrt(12.0);
    for (const Bin& bin : bins_) {
      double distance = std::fabs(bin.middle - std::clamp(bin.middle, lo, hi));
      if (distance == 0.0)
        distance = fine ? inside : std::fabs(bin.middle - s * std::nearbyint(bin.middle / s));
      sum += bin.count * (power_ == 1 ? distance : distance * distance);
    }
    return sum;
  }

 private:
  struct Bin {
    double middle;
    double count;
  };
  Target target_;
  int power_;
  std::vector<Bin> bins_;
  double width_ = 0.0;
};

constexpr int kSteps = 128;      // of a range's end
constexpr int kSmallest = 4;     // steps left of it
constexpr int kRefinements = 2;  // rounds in which one end moves after the other

numeric::Range least_error(const Statistics& seen, const Target& target, int power) {
  const numeric::Range full = seen.histogram().range();
  if (seen.histogram().bins().empty()) return full;
  const RoundingError error(seen.histogram(), target, power);
  numeric::Range best = full;
  double least = error.of(full);
  const auto try_range = [&](const numeric::Range& range) {
    const double now = error.of(range);
    if (now < least) {
      least = now;
      best = range;
    }
  };
  const auto part = [](int step) { return static_cast<double>(step) / kSteps; };
  for (int step = kSteps - 1; step >= kSmallest; --step)
    try_range({full.lo * part(step), full.hi * part(step)});
  const bool two_ends = target.scheme == numeric::Scheme::asymmetric && full.lo < 0.0 && full.hi > 0.0;
  for (int round = 0; two_ends && round < kRefinements; ++round) {
    for (int step = kSteps; step >= kSmallest; --step) try_range({best.lo, full.hi * part(step)});
    for (int step = kSteps; step >= kSmallest; --step) try_range({full.lo * part(step), best.hi});
  }
  return best;
}

}  // namespace

numeric::Range mean_squared_error(const Statistics& seen, const Target& target, double) {
  return least_error(seen, target, 2);
}

numeric::Range mean_absolute_error(const Statistics& seen, const Target& target, double) {
  return least_error(seen, target, 1);
}

}  // namespace halftone::quant
