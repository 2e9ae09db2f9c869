// --bits and --granularity: how many bits weights and activations take, and which weights share a scale.
#pragma once

#include <optional>
#include <string>

#include "halftone/quant/recipe.h"

namespace halftone::cli {

// "w4a8": bits of weights and activations; "w4": of weights alone; "w1" is binary, "wt" ternary.
struct Bits {
  int weights = 0;
  quant::WeightCode code = quant::WeightCode::affine;
  std::optional<int> activations;
};

// Throws UsageError naming `where`, an option, for any other text.
Bits parse_bits(const std::string& where, const std::string& text);

void set_bits(quant::WeightRecipe& weights, const Bits& bits);

// "tensor", "channel" or "group=32".
void set_granularity(quant::WeightRecipe& weights, const std::string& text);

}  // namespace halftone::cli
