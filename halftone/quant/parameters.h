// Every integer parameter of a network, decided before a pair is written.
#pragma once

#include <optional>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/quant/plan.h"
#include "halftone/quant/ranges.h"
#include "halftone/quant/recipe.h"
#include "halftone/quant/weights.h"

namespace halftone::quant {

struct ActivationParams {
  numeric::IntegerFormat format;
  numeric::Affine affine;
};

struct Parameters {
  Plan plan;
  std::vector<std::optional<ActivationParams>> activations;  // by value that gets a pair
  std::vector<std::optional<QuantizedWeights>> weights;      // by linear node
};

// Weights rounded to nearest, at the scales that the recipe gives them. `graph` is a float graph after
// passes::simplify, `ranges` cover its values (by name). Throws InputError for a range that is missing,
// UsageError for a recipe that does not fit.
Parameters choose_parameters(const ir::Graph& graph, const RangeTable& ranges, const Recipe& recipe);

}  // namespace halftone::quant
