// What a recipe's methods do with the float network around its calibration.
#pragma once

#include "cli/data_options.h"
#include "halftone/ir/graph.h"
#include "halftone/quant/correct_biases.h"
#include "halftone/quant/recipe.h"

namespace halftone::cli {

// Simplified, and after the methods that need no samples; the graph's metadata says which changed it.
ir::Graph float_graph(const ir::Graph& model, const quant::Recipe& recipe);

// Whether the recipe has methods that change the float network by what samples make of it.
bool needs_samples_before_calibration(const quant::Recipe& recipe);

// `graph` of float_graph after those methods.
ir::Graph move_by_samples(ir::Graph graph, const quant::Recipe& recipe, const analysis::Samples& samples,
                          const DataOptions& data);

// A line for each of the recipe's methods that left the network as it was, and each layer that a method could not take.
std::vector<std::string> notes_of_methods(const ir::Graph& graph, const quant::Recipe& recipe);

// What is known of the network's values without samples: those of batch normalizations, unless a method moves them.
quant::NormalTable known_distributions(const ir::Graph& model, const quant::Recipe& recipe);

// quant::correct_biases; what is not known is measured where there are samples.
void correct_biases(const ir::Graph& graph, quant::Parameters& parameters, quant::NormalTable known,
                    const analysis::Samples& samples, const DataOptions& data);

}  // namespace halftone::cli
