// Clipping weights: fewer of the large ones exact, for finer steps of the others.
#pragma once

#include <vector>

#include "halftone/numeric/quant_params.h"

namespace halftone::quant {

// The range of each of the parameters' entries (numeric::weight_ranges) by the factor, in steps of 1/128, that
// gives the least Σ|w − ŵ|^power over the entry's weights, power 1 or 2; at least an eighth of the range is kept.
std::vector<numeric::Range> clipped_weight_ranges(const Tensor& weights, const numeric::WeightSpec& spec,
                                                  int power);

}  // namespace halftone::quant
