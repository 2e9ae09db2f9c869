// How a network is to be quantized.
#pragma once

#include <string>

#include "halftone/numeric/quant_params.h"
#include "halftone/qgraph/arithmetic_spec.h"
#include "halftone/quant/observer.h"

namespace halftone::quant {

// Defaults: int8 asymmetric activations per tensor, int8 narrow symmetric weights per channel, fixed
// arithmetic. Mode shift needs power_of_two. Weights take 2 to 8 bits, activations 2, 4 or 8.
enum class WeightRange {
  min_max,             // every weight within the range
  mean_squared_error,  // clipped where that lowers the error (weight_clip.h)
};

struct Recipe {
  numeric::IntegerFormat weights{8, true, true};
  numeric::Scheme weight_scheme = numeric::Scheme::symmetric;
  numeric::Granularity granularity = numeric::Granularity::channel;
  WeightRange weight_range = WeightRange::min_max;
  numeric::IntegerFormat activations{8, true, false};
  numeric::Scheme activation_scheme = numeric::Scheme::asymmetric;
  ObserverChoice observer;  // of the activations' ranges
  bool power_of_two = false;
  qgraph::ArithmeticSpec arithmetic;
};

// Throws UsageError naming what does not go together.
void check(const Recipe& recipe);

// "w8a8, weights symmetric by channel, activations asymmetric, fixed, 32-bit mantissa".
std::string describe(const Recipe& recipe);

}  // namespace halftone::quant
