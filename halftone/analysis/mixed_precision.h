// Which bits the layers of a network may have, and the recipe that gives them theirs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "halftone/analysis/cost.h"
#include "halftone/analysis/search.h"
#include "halftone/quant/recipe.h"

namespace halftone::analysis {

struct MixedLayer {
  std::size_t node = 0;
  std::string name;
  std::string rule;  // the name by which a recipe knows this layer and no other; empty: its bits are fixed
  quant::WeightRecipe weights;  // of the recipe that all start from
  std::vector<int> bits;        // its choices, ascending
  LayerWork work;
};

// Layers whose inputs share a scale.
struct MixedGroup {
  std::string rule;  // the name of an input, likewise; empty: fixed
  quant::ActivationRecipe inputs;
  std::vector<int> bits;
  std::vector<MixedLayer> layers;
};

// The linear layers of `graph` (a float graph after passes::simplify) as `recipe` quantizes them. Those that
// a rule of the recipe names keep the bits it gives them, and so do inputs. Throws UnsupportedError for a
// layer that no name tells from others.
std::vector<MixedGroup> mixed_groups(const ir::Graph& graph, const quant::Recipe& recipe,
                                     const std::vector<int>& weight_bits, const std::vector<int>& input_bits);

// The bits that all have in the recipe that they start from.
int start_bits(const MixedLayer& layer);
int start_bits(const MixedGroup& group);

// `recipe` with a rule for every layer and every group's inputs that are not fixed.
quant::Recipe with_bits(const quant::Recipe& recipe, const std::vector<MixedGroup>& groups,
                        const std::vector<GroupChoice>& choices);

// `recipe` with other bits for one layer, or for one group's inputs.
quant::Recipe with_bits(const quant::Recipe& recipe, const MixedLayer& layer, int bits);
quant::Recipe with_bits(const quant::Recipe& recipe, const MixedGroup& group, int bits);

// The cost of a layer by the bits of its weights and of its inputs.
using CostOf = std::function<double(const MixedGroup& group, const MixedLayer& layer, int weight_bits, int input_bits)>;

// As cost_of counts it.
CostOf counted(Budget budget);

// The cost of the recipe that all start from.
double start_cost(const CostOf& cost, const std::vector<MixedGroup>& groups);

}  // namespace halftone::analysis
