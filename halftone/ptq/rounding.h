// Ways to choose a layer's integers that look at what the layer then computes.
#pragma once

#include <vector>

#include "halftone/ptq/layer_problem.h"

namespace halftone::ptq {

// u [M, K] of every channel.
using Rounded = std::vector<std::int32_t>;

// Each weight to its nearest.
Rounded round_nearest(const LayerProblem& problem, const Grids& grids);

// One weight after the other; the error that its rounding makes is taken up by those that follow:
// w_j ← w_j − (w_k − ŵ_k)·U_kj/U_kk, H⁻¹ = UᵀU (Frantar et al., GPTQ, ICLR 2023, algorithm 1), from the w with
// the least error, (H)⁻¹c.
Rounded round_with_feedback(const LayerProblem& problem, const Grids& grids, int threads);

// Up or down as the relaxed problem Σ loss + λ·Σ(1 − |2h(v) − 1|^β) has it, by Adam over `steps`,
// h(v) = clamp(1.2·sigmoid(v) − 0.1, 0, 1), β falling from 20 to 2 (Nagel et al., AdaRound, ICML 2020, section
// 3.3).
Rounded round_adaptively(const LayerProblem& problem, const Grids& grids, int steps, int threads);

// Lets each weight in turn move to where the loss is least, until none moves, in place.
void descend(const LayerProblem& problem, const Grids& grids, Rounding& rounding, int threads);

}  // namespace halftone::ptq
