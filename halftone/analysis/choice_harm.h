// The harm that every choice of bits of every layer does by itself, all others as they start.
#pragma once

#include "halftone/analysis/bit_search.h"

namespace halftone::analysis {

struct ChoiceHarms {
  std::vector<SearchGroup> groups;  // costs, and harms beside that of the network as it starts
  double start = 0.0;               // that one's
};

// Harm is the divergence of scores (divergence.h) from the float network's. Weights are chosen as the recipe says; for other
// inputs they are rounded to nearest.
ChoiceHarms measure_choices(const BitSearch& search);

}  // namespace halftone::analysis
