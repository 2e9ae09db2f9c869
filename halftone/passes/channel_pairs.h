// Two linear layers with one channel after the other between them, whose scale can be moved from one to the
// other.
#pragma once

#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::passes {

// The result of `first` goes, through ops that keep channels and f(s·x) = s·f(x) for s > 0 (Relu, LeakyRelu,
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

// Whether a shift can be moved too: what is between gives f(x − c) = f(x) − c for x >= c >= 0, and zeros that a
// Conv or an average pads with, which no shift reaches, are nowhere.
bool moves_shifts(const ir::Graph& graph, const ChannelPair& pair);

// b1 − c and b2 + Σ W2·c: subtracts c >= 0, one a channel, from what `first` gives, bounds too, and adds to the
// bias of `second` what its weights make of it. The same function where `first` gives c or more. The pair moves
// shifts and has no Clip.
void shift(ir::Graph& graph, const ChannelPair& pair, const std::vector<double>& c);

}  // namespace halftone::passes
