// Two linear layers with one channel after the other between them, whose scale can be moved from one to the
// other.
#pragma once

#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::passes {

// What `first` gives goes, through ops that keep channels and f(s·x) = s·f(x) for s > 0 (Relu, LeakyRelu,
// pools, bounds that move too), to `second` alone.
struct ChannelPair {
  int first = 0;
  int second = 0;
  std::vector<int> between;  // in order
};

std::vector<ChannelPair> channel_pairs(const ir::Graph& graph);

// Every Clip from 0 inside a pair as a Relu, and a Min with its bound once for each channel.
ir::Graph bounds_by_channel(ir::Graph graph);

// max|w| of each channel between the two: over the weights that give it, and over those that take it.
std::vector<double> giving_ranges(const ir::Graph& graph, const ChannelPair& pair);
std::vector<double> taking_ranges(const ir::Graph& graph, const ChannelPair& pair);

// Divides what `first` gives by scale[c] > 0, bounds too, and multiplies the weights that take it (new
// constants). The pair has no Clip.
void rescale(ir::Graph& graph, const ChannelPair& pair, const std::vector<double>& scale);

}  // namespace halftone::passes
