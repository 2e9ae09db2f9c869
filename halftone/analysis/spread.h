// How far numbers spread, against the three standard deviations within which nearly all of them lie.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/calibration/histogram.h"

namespace halftone::analysis {

struct Spread {
  numeric::Range range;  // smallest and largest
  double mean = 0.0;
  double sigma = 0.0;  // both of the histogram's bins: quant::Histogram

  // mean ± 3σ.
  numeric::Range three_sigma() const { return {mean - 3.0 * sigma, mean + 3.0 * sigma}; }
  // (largest − smallest) / 6σ; where all numbers are alike 1.
  double ratio() const;
};

Spread spread_of(const calibration::Histogram& histogram);

// Bins of equal width from lo to hi: counts[i] numbers lie in [lo + i·w, lo + (i + 1)·w], w = (hi − lo)/size.
struct Bins {
  double lo = 0.0;
  double hi = 0.0;
  std::vector<std::int64_t> counts;
};

// Over the range that was seen. A bin of `histogram` goes where its middle lies, zeros where zero does; so
// counts are exact up to the width of those bins, a 2048th of the largest magnitude or less.
Bins reduced(const calibration::Histogram& histogram, int bins = 64);

}  // namespace halftone::analysis
