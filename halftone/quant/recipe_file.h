// Recipes as TOML: everything that decides a quantized network's bytes, besides the network and its samples.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "halftone/quant/recipe.h"

namespace halftone::quant {

inline constexpr std::size_t kMostRecipeBytes = 8 << 20;  // some 20,000 layers, each with a rule; 300 MB as a document

// Every setting, complete: reading it gives the recipe again.
std::string to_toml(const Recipe& recipe);

// A setting that a file leaves out has its usual setting; a [[layer]] or [[tensor]] starts from the file's [weights] and
// [activations]. Tables [data] and [file] belong to others and are passed over. Throws InputError naming `where`
// and the line for what is not TOML, an unknown key, a value of the wrong kind, and UsageError for settings that
// do not go together.
Recipe recipe_from_toml(std::string_view text, const std::string& where);

}  // namespace halftone::quant
