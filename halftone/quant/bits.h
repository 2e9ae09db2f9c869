// How many bits weights and activations take, in a word, and the recipe that goes with them.
#pragma once

#include <optional>
#include <string>

#include "halftone/quant/recipe.h"

namespace halftone::quant {

// "w4a8": bits of weights and activations; "w4": of weights alone; "w1" is binary, "wt" ternary.
struct Bits {
  int weights = 0;
  WeightCode code = WeightCode::affine;
  std::optional<int> activations;
};

// Throws UsageError naming `where` for any other text.
Bits parse_bits(const std::string& where, const std::string& text);

// Whether weights or activations have fewer than 8.
bool has_few(const Bits& bits);

void set_bits(WeightRecipe& weights, const Bits& bits);
// Activations stay float where no bits are said of them.
void set_bits(Recipe& recipe, const Bits& bits);

// "tensor", "channel" or "group=32". Throws UsageError naming `where` for any other text.
void set_granularity(WeightRecipe& weights, const std::string& where, const std::string& text);

// Settings that go with bits where nothing else is asked for. With fewer than 8 somewhere, and activations in integers, they are what
// docs/accuracy.md's table of methods shows to pay.
struct Defaults {
  std::string_view observer = "minmax";
  WeightRange weight_range = WeightRange::min_max;
  WeightRounding rounding = WeightRounding::nearest;
  BiasCorrection correct_bias = BiasCorrection::none;
  std::optional<int> output_bits;  // of the network's outputs
};

// `few`: somewhere there are fewer than 8 bits, and activations are integers.
Defaults defaults_for(const Bits& bits, bool few);

// The rule for the network's outputs: activations as elsewhere, of so many bits.
void set_output_bits(Recipe& recipe, int bits);

// The recipe of bits alone, "w4a8": what `halftone quantize` makes of the same word.
Recipe recipe_for(const std::string& bits);

}  // namespace halftone::quant
