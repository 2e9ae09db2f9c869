// The float network with one layer, or a part of it, as the quantized network has it.
#pragma once

#include <string_view>

#include "halftone/analysis/matched_models.h"

namespace halftone::analysis {

// The parts of a layer that are quantized.
struct LayerParts {
  bool weights = false;
  bool activation = false;  // the layer's input, for this layer alone
  bool bias = false;
  bool requantization = false;  // its output, for all readers: behind the ReLU or Clip that ends it
  bool operator==(const LayerParts&) const = default;
};

// The ones among `parts` that change a number of the float network at all, as far as constants tell.
LayerParts parts_that_change(const MatchedModels& models, std::size_t layer, const LayerParts& parts);

// Weights and bias are the quantized network's real numbers, activations go through a pair of QuantizeLinear
// and DequantizeLinear with its scale. Inputs and outputs stay in their order.
ir::Graph mixed_network(const MatchedModels& models, std::size_t layer, const LayerParts& parts);

}  // namespace halftone::analysis
