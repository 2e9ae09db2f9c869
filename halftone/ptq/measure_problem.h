// The problem of a layer's weights, from the samples that walk through it.
#pragma once

#include "halftone/ptq/layer_problem.h"
#include "halftone/ptq/walk.h"

namespace halftone::ptq {

// Inputs of a channel: beyond, H = E[x̂x̂ᵀ] and its factors would take gigabytes, and hours.
inline constexpr std::int64_t kMostProblemInputs = 8192;

// Whether a layer's weights can be chosen by what it computes: a Conv, Gemm or MatMul of no more inputs than that.
bool can_be_reconstructed(const ir::Graph& graph, const ir::Node& node);

// The groups of a Conv; 1 for others.
std::int64_t groups_of(const ir::Node& node);

// Moments of group `group` of node `n`, over at most some 32,768 places, spread evenly at random by a fixed rule; its
// float outputs and quantized inputs are in `walk`. With `centred` about their means, otherwise the float
// outputs are taken less the bias.
LayerProblem measure_problem(const Walk& walk, std::size_t n, std::int64_t group, bool centred);

// Where weight k of the group's channel m stands among all of the layer's, and channel m of the group among
// all channels.
std::size_t weight_place(const ir::Graph& graph, const ir::Node& node, std::int64_t group, std::int64_t m,
                         std::int64_t k);
std::size_t channel_place(const ir::Graph& graph, const ir::Node& node, std::int64_t group, std::int64_t m);

}  // namespace halftone::ptq
