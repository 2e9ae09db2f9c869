// The quantizers that training knows, a row each.
#pragma once

#include <span>
#include <string_view>

#include "halftone/qat/quantizers/activation_quantizer.h"
#include "halftone/qat/quantizers/weight_quantizer.h"

namespace halftone::qat {

// What a recipe has to say for a quantizer.
enum class RecipeNeed {
  none,
  free_steps,     // neither powers of two nor set: they are learnt, or follow from what is seen
  powers_of_two,  // the learnt steps are such
};

struct Quantizer {
  std::string_view name;
  std::string_view text;  // one line for users
  MakeActivations activations;
  MakeWeights weights;
  RecipeNeed need = RecipeNeed::none;
};

std::span<const Quantizer> quantizers();

// Throws UsageError naming all of them.
const Quantizer& quantizer(std::string_view name);

}  // namespace halftone::qat
