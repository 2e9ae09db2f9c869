// The table of `inspect --multipliers`.
#pragma once

#include <nlohmann/json.hpp>

namespace halftone::cli {

// Shows the smallest and the largest of each layer's numbers. `inspected` is what --json gives of a network in integers.
void print_multipliers(const nlohmann::json& inspected);

}  // namespace halftone::cli
