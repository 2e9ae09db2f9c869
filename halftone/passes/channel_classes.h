// Channels that one number scales wherever they go: from the layers that give them, over residual sums and joins, to all
// layers that take them.
#pragma once

#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::passes {

// A channel of what a node gives, or takes.
struct ChannelPlace {
  std::size_t node = 0;
  std::size_t channel = 0;
};

// Dividing what is given and multiplying the weights that take it leaves the function as it is: between them are
// ops with f(s·x) = s·f(x) (Relu, LeakyRelu, pools), sums of such values, joins, and bounds by channel.
struct ChannelClass {
  std::vector<ChannelPlace> gives;
  std::vector<ChannelPlace> takes;
  std::vector<ChannelPlace> bounds;  // of Min with a constant a channel
};

// Those with a layer at both ends. Channels that reach an input or output of the graph, or any other op, have none.
std::vector<ChannelClass> channel_classes(const ir::Graph& graph);

// max|w| over the weights that take each class.
std::vector<double> taking_ranges(const ir::Graph& graph, const std::vector<ChannelClass>& classes);

// Divides what gives class c by scale[c] > 0, bounds too, and multiplies the weights that take it.
void rescale(ir::Graph& graph, const std::vector<ChannelClass>& classes, const std::vector<double>& scale);

}  // namespace halftone::passes
