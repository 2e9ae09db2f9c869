// Means of a network's channels, from what is known of a few values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::ptq {

// A channel's values, taken as normally distributed.
struct Normal {
  double mean = 0.0;
  double deviation = 0.0;
};

using NormalTable = std::map<std::string, std::vector<Normal>, std::less<>>;  // by value, then channel

// The distributions that batch normalizations give: N(β, γ²) by channel, `graph` having them (passes::simplify does not).
// Folded, the layer before one gives the value of that name.
NormalTable batch_norm_outputs(const ir::Graph& graph);

// E[min(max(x, lo), hi)] = lo·Φ(a) + hi·(1 − Φ(b)) + μ·(Φ(b) − Φ(a)) + σ·(φ(a) − φ(b)), a = (lo − μ)/σ,
// b = (hi − μ)/σ, of x ~ N(μ, σ²); lo <= hi may be infinite. (Nagel et al., Data-Free Quantization, ICCV
// 2019, appendix C.)
double clipped_mean(const Normal& x, double lo, double hi);

// The value from whose distribution the means of value `id` follow: what a Relu or Clip takes, seen through
// averages and a Flatten that keeps the channels; otherwise `id` itself.
ir::ValueId source_of_means(const ir::Graph& graph, ir::ValueId id);

// E[x] of each channel of value `id` [N, C, …]; nullopt when its source is not known.
std::optional<std::vector<double>> channel_means(const ir::Graph& graph, ir::ValueId id,
                                                 const NormalTable& known);

}  // namespace halftone::ptq
