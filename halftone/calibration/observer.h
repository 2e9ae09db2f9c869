// How the range of a value is chosen from what calibration saw of it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "halftone/calibration/statistics.h"

namespace halftone::calibration {

// The purpose of the range: the scale and zero point come from it as docs/arithmetic.md section 3 says.
struct Target {
  numeric::IntegerFormat format;
  numeric::Scheme scheme = numeric::Scheme::asymmetric;
  bool power_of_two = false;
};

// The range of everything seen.
numeric::Range min_max(const Statistics& seen, const Target& target, double);

// Exponential moving averages of the samples' smallest and largest values, in the order of their indices:
// a ← momentum·a + (1 − momentum)·x, from the first (Krishnamoorthi, 2018, section 3.1.1).
numeric::Range moving_average(const Statistics& seen, const Target& target, double momentum);

// The least range of bins with `percent` of all values at or below its end, and as many at or above its
// beginning; more than half of them, so that the two meet.
numeric::Range percentile(const Statistics& seen, const Target& target, double percent);

// mean ± k·σ, within what was seen.
numeric::Range k_sigma(const Statistics& seen, const Target& target, double k);

// The saturation threshold whose quantized distribution loses the least information (Migacz, "8-bit inference
// with TensorRT", GTC 2017). Formats with more levels than there are bins take everything seen.
numeric::Range kl_divergence(const Statistics& seen, const Target& target, double);

// The range with the least mean squared error of rounding and clipping.
numeric::Range mean_squared_error(const Statistics& seen, const Target& target, double);

// With the least mean absolute error; of power-of-two scales that is the fraction length argmin Σ|x − x(bw, fl)| (Qiu
// et al., FPGA 2016, section 5.2).
numeric::Range mean_absolute_error(const Statistics& seen, const Target& target, double);

// All that the format holds at the scale 2^−fraction_length, whatever was seen: one fixed point for every value, the
// static precision of Qiu et al.
numeric::Range fixed_point(const Statistics& seen, const Target& target, double fraction_length);

struct Observer {
  std::string_view name;
  std::string_view number_text;  // what its number is; empty: it has none
  double usual = 0.0;            // the number when none is given
  double least = 0.0;
  double most = 0.0;
  numeric::Range (*choose)(const Statistics&, const Target&, double number) = nullptr;
  bool whole = false;        // whole numbers only
  int values_a_level = 0;    // of fewer seen the distribution is not known well enough
};

std::span<const Observer> observers();

// An observer with its number, as a user writes it: "mse", "percentile=99.9".
struct ObserverChoice {
  const Observer* observer = &observers().front();
  double number = 0.0;
  numeric::Range choose(const Statistics& seen, const Target& target) const {
    return observer->choose(seen, target, number);
  }
  bool operator==(const ObserverChoice&) const = default;
};

// Throws UsageError for an unknown name or a number that is none or out of range.
ObserverChoice parse_observer(std::string_view text);
std::string describe(const ObserverChoice& choice);

}  // namespace halftone::calibration
