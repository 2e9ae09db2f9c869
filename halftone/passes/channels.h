// Steps on channels, dimension 1 of a value, for the passes that move numbers from one layer to the next.
#pragma once

#include <functional>
#include <string>

#include "halftone/ir/graph.h"

namespace halftone::passes {

// Min with one constant a channel: a bound that can move.
bool is_channel_bound(const ir::Graph& graph, const ir::Node& node);
// A ReLU6 or its like: Clip from 0.
bool is_positive_clip(const ir::Node& node);

// Ops of one operand with f(s·x) = s·f(x) for s > 0, channel by channel.
bool scales_along(const ir::Op& op);

// Whether the node's channels are dimension 1 of what it gives, or takes.
bool gives_channels(const ir::Graph& graph, const ir::Node& node);
bool takes_channels(const ir::Graph& graph, const ir::Node& node);

// The input channel that each of the node's weights takes, in order.
void for_taking(const ir::Graph& graph, const ir::Node& node,
                const std::function<void(std::size_t weight, std::size_t channel)>& visit);

// Multiplies the weights that take each input channel by its factor.
void scale_taking(ir::Graph& graph, ir::Node& node, const std::vector<double>& factor);
// Divides all that the node gives, channel by channel: weights and bias.
void divide_giving(ir::Graph& graph, ir::Node& node, const std::vector<double>& scale);

// The name for a bias of the node.
std::string bias_name(const ir::Graph& graph, const ir::Node& node);

}  // namespace halftone::passes
