// How often values of each size occurred: what observers choose a range from. Its memory is fixed, and merging
// histograms gives that of all values together, in any order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "halftone/numeric/affine.h"

namespace halftone::calibration {

// All that a histogram is, as a file holds it.
struct HistogramState {
  int exponent = 0;
  std::int64_t zeros = 0;
  numeric::Range range;
  std::vector<std::pair<std::int64_t, std::int64_t>> bins;  // number and count, in order
};

// One of every so many runs of 64 neighbours is counted, so many times. Chosen by chance from `seed`.
struct HistogramPart {
  std::size_t of = 1;  // 1 or more; 1: all
  std::uint64_t seed = 0;
};

// Bins are 2^exponent wide on a grid aligned at zero, kSide of them on each side: bin kSide + m holds the
// positive values with ⌊x·2^−exponent⌋ = m, bin kSide − 1 − m the negative ones with ⌊|x|·2^−exponent⌋ = m.
// The exponent is the least for which every value has a bin; when it grows, neighbours are added, which is
// what the wider bins would have held from the start. Zeros are counted apart, as integers hold them exactly.
class Histogram {
 public:
  static constexpr int kSide = 2048;
  static constexpr int kBins = 2 * kSide;
  static constexpr int kMinExponent = -110;  // smaller values share the bins next to zero

  Histogram() = default;
  // Throws InputError for numbers that no values give.
  explicit Histogram(const HistogramState& state);

  // Returns the range of these values, [0, 0] of none: of all of them, as range() is. Throws InputError for NaN or
  // infinity.
  numeric::Range observe(std::span<const float> values, HistogramPart part = {});
  void merge(const Histogram& other);

  bool empty() const { return count() == 0; }
  std::int64_t count() const { return zeros_ + others_; }  // of all values, where parts of them were counted about that
  std::int64_t zeros() const { return zeros_; }
  int exponent() const { return exponent_; }
  double bin_width() const;
  // By bin; empty when nothing but zeros was seen.
  std::span<const std::int64_t> bins() const { return bins_; }
  // The middle of a bin's values.
  double middle(int bin) const { return (bin - kSide + 0.5) * bin_width(); }

  // The smallest and largest value, counted or not; [0, 0] when nothing was seen.
  numeric::Range range() const;
  // Moments of all values, a bin's at its middle; its variance has the bins' width taken out (Sheppard's correction).
  double mean() const;
  double variance() const;

  bool operator==(const Histogram&) const = default;

 private:
  bool may_hold(int bin) const;
  void hold(float magnitude);
  void widen(int exponent);

  std::vector<std::int64_t> bins_;
  int exponent_ = kMinExponent;
  std::int64_t zeros_ = 0;
  std::int64_t others_ = 0;
  bool seen_ = false;  // any value, counted or not
  float lo_ = 0.0F;    // of what was seen; neither counts before the first value
  float hi_ = 0.0F;
};

}  // namespace halftone::calibration
