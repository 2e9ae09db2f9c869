// The integers of one layer's weights, by what it computes on the samples that walk through it.
#pragma once

#include <optional>

#include "halftone/ptq/walk.h"
#include "halftone/quant/weights.h"

namespace halftone::ptq {

// Chooses `weights`' integers anew as `recipe.rounding` has it (rounding.h; `steps` are AdaRound's), moves each to where the loss
// is least, keeps the nearest where they lose less, and lets scales follow that are not fixed, powers of two or by group.
// `centred`: the bias will be corrected (layer_problem); `s_x` is the scale of the inputs, none where they stay float. Throws
// InputError naming the layer where squares of its values are not finite.
void round_layer(const Walk& walk, std::size_t n, const quant::WeightRecipe& recipe, int steps, bool centred, std::optional<float> s_x,
                 quant::QuantizedWeights& weights);

}  // namespace halftone::ptq
