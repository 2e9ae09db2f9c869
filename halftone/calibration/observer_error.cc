#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "halftone/base/widest_vectors.h"
#include "halftone/calibration/observer.h"

namespace halftone::calibration {
namespace {

// Steps of a range's grid, for bins many at a time: Σ count·|x − x̂|^power in lanes, whose order is always the
// same.
struct Grid {
  double s;
  double lo;
  double hi;
  double inside;  // ≥ 0: what a value within the range counts, of steps finer than bins

  double distance(double x) const {
    constexpr double kMagic = 0x1.8p52;  // x + kMagic − kMagic is x to the nearest integer, ties to even
    const double held = std::min(std::max(x, lo), hi);
    const double rounded = (x / s + kMagic - kMagic) * s;
    const double grid = std::fabs(x - std::min(std::max(rounded, lo), hi));
    return inside < 0.0 ? grid : held == x ? inside : std::fabs(x - held);
  }
};

constexpr std::size_t kLanes = 8;

double weighted(std::span<const double> xs, std::span<const double> counts, Grid grid, int power) {
  std::array<double, kLanes> sums{};
  for (std::size_t i = 0; i < xs.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double distance = grid.distance(xs[i + lane]);
      sums[lane] += counts[i + lane] * (power == 1 ? distance : distance * distance);
    }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// Σ count·|x − x̂|^power over the bins, power 1 or 2, at their middles; inside a step wider than a bin as it
// is, inside finer ones the mean over a step, step/4 or step²/12.
class RoundingError {
 public:
  RoundingError(const Histogram& histogram, const Target& target, int power)
      : target_(target), power_(power) {
    for (int bin = 0; bin < Histogram::kBins; ++bin)
      if (const std::int64_t count = histogram.bins()[static_cast<std::size_t>(bin)]; count > 0) {
        middles_.push_back(histogram.middle(bin));
        counts_.push_back(static_cast<double>(count));
      }
    while (middles_.size() % kLanes != 0) {
      middles_.push_back(0.0);
      counts_.push_back(0.0);
    }
    width_ = histogram.bin_width();
  }

  double of(const numeric::Range& range) const {
    const numeric::Affine affine =
        numeric::affine_from_range(range, target_.format, target_.scheme, target_.power_of_two);
    const double s = affine.scale;
    const double inside = power_ == 1 ? s / 4.0 : s / std::sqrt(12.0);
    const Grid grid{.s = s,
                    .lo = s * (target_.format.qmin() - affine.zero_point),
                    .hi = s * (target_.format.qmax() - affine.zero_point),
                    .inside = s < 2.0 * width_ ? inside : -1.0};
    double sum = 0.0;
    on_widest_vectors([&](auto) { sum = weighted(middles_, counts_, grid, power_); });
    return sum;
  }

 private:
  Target target_;
  int power_;
  std::vector<double> middles_;
  std::vector<double> counts_;
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

}  // namespace halftone::calibration
