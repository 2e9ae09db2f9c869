// Steps of a recipe on the float network before weights are chosen.
#pragma once

#include <string>
#include <vector>

#include "halftone/ptq/channel_means.h"
#include "halftone/ptq/stages.h"
#include "halftone/quant/recipe.h"

namespace halftone::ptq {

// In a graph's metadata: which methods changed the float network, "svd 0.9, equalize".
inline constexpr const char* kChangedKey = "halftone.float_changed_by";

// Simplified, and after the methods that need no samples; the metadata says which changed it.
ir::Graph float_network(const ir::Graph& model, const quant::Recipe& recipe);

// Whether the recipe has methods that change the float network by what samples make of it.
bool needs_samples_before_calibration(const quant::Recipe& recipe);

// The network of float_network after those methods.
ir::Graph move_by_samples(ir::Graph network, const quant::Recipe& recipe, const RunsFor& runs);

// A line for each of the recipe's methods that left the network as it was, and each layer that a method could not take.
std::vector<std::string> notes_of_methods(const ir::Graph& network, const quant::Recipe& recipe);

// Distributions of the network's values that are known without samples: those of batch normalizations, unless a method moves them.
NormalTable known_distributions(const ir::Graph& model, const quant::Recipe& recipe);

}  // namespace halftone::ptq
