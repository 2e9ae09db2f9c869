// Which settings of a recipe each layer and each value takes.
#pragma once

#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/quant/plan.h"
#include "halftone/quant/recipe.h"

namespace halftone::quant {

struct Assignment {
  Plan plan;                                   // without quantized values when the recipe is weight-only
  std::vector<WeightRecipe> weights;           // by node
  std::vector<ActivationRecipe> activations;   // by value
  std::vector<bool> weights_ruled;             // by node: a rule gave them
  std::vector<bool> activation_ruled;          // by value, likewise
};

// By node, whether the last rule that names it keeps it float; empty: no rule keeps any. A ReLU or Clip at the end of a layer or
// sum goes with that, whatever it is called. Throws UsageError for a rule that matches no other node.
std::vector<bool> keeps_float(const ir::Graph& graph, const Recipe& recipe);

// Throws UsageError for a rule that matches nothing.
Assignment assign(const ir::Graph& graph, const Recipe& recipe);

// Whether the whole of `text` matches `pattern`, in which * is any text and ? any character.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace halftone::quant
