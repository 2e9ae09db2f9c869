// Choosing weights and biases by what each layer then computes, layer after layer, each on the inputs that the
// quantized network before it gives.
#pragma once

#include <span>

#include "halftone/ptq/walk.h"

namespace halftone::ptq {

// Whether a recipe asks for it.
bool reconstructs(const quant::Recipe& recipe);

// Weights that a layer could have, all others being as they are.
struct Alternative {
  std::size_t node = 0;
  quant::WeightRecipe recipe;
  quant::QuantizedWeights weights;  // rounded to nearest, then as chosen
};

// Rounds the weights of `parameters` as the recipe's methods say, and corrects biases: b ← b + E[y − ŷ], y the
// float network's output of the layer and ŷ the quantized one's, by channel (Nagel et al., Data-Free
// Quantization, ICCV 2019, section 4.2, measured). Layers without a bias get none. With a method other than
// nearest, scales that are not powers of two follow their integers. A scale or a correction with which a bias
// would be beyond 2^30 steps is not taken. The alternatives are chosen on the way, each on the inputs that its layer
// has in the network. At most 16,384 samples. Throws InputError for values that are not finite.
void reconstruct(const ir::Graph& graph, quant::Parameters& parameters, const quant::Recipe& recipe, const calibration::Runs& runs,
                 std::span<Alternative> alternatives = {});

}  // namespace halftone::ptq
