// The quantizers that training knows, a row each.
#pragma once

#include <memory>
#include <span>
#include <string_view>

namespace halftone::qat {

struct ActivationStart;     // activation_quantizer.h
class ActivationQuantizer;
struct WeightStart;         // weight_quantizer.h
class WeightQuantizer;
using MakeActivations = std::unique_ptr<ActivationQuantizer> (*)(const ActivationStart&);
using MakeWeights = std::unique_ptr<WeightQuantizer> (*)(const WeightStart&);

// All that a recipe has to say for a quantizer.
enum class RecipeNeed {
  none,
  free_steps,     // neither powers of two nor set: they are learnt, or follow from what is seen
  free_offsets,   // as free_steps, and asymmetric activations: zero points are learnt
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

// All that a run that learns does to weights beside rounding them to nearest.
enum class WeightNoise {
  none,
  stochastic,  // up or down, by chance: half_even(w/s + U), U uniform in [−½, ½) (Gupta et al., ICML 2015, section 2)
  additive,    // w/s + U instead of rounding (Défossez et al., "DiffQ", TMLR 2022, section 3)
};

// Throws UsageError naming all of them.
const Quantizer& quantizer(std::string_view name);

}  // namespace halftone::qat
