// The float network as a recipe's methods have it, before it is calibrated.
#pragma once

#include "cli/data_options.h"
#include "halftone/ir/graph.h"
#include "halftone/quant/recipe.h"

namespace halftone::cli {

// Simplified, and after the methods that need no samples.
ir::Graph float_graph(const ir::Graph& model, const quant::Recipe& recipe);

// Whether the recipe has methods that change the float network by what samples make of it.
bool needs_samples_before_calibration(const quant::Recipe& recipe);

// `graph` of float_graph after those methods.
ir::Graph move_by_samples(ir::Graph graph, const quant::Recipe& recipe, const analysis::Samples& samples,
                          const DataOptions& data);

}  // namespace halftone::cli
