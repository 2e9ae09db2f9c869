// Steps that the passes share: finding a pair of nodes of which the second is the first's only reader, and joining
// them.
#pragma once

#include <functional>

#include "halftone/ir/graph.h"

namespace halftone::passes {

// For every node and its producer (of input 0) that has no other reader and is no output: when join(producer,
// node) says it wrote the node's work into the producer, the producer takes over the node's output and the
// node goes.
using Join = std::function<bool(ir::Graph& graph, ir::Node& producer, const ir::Node& node)>;
ir::Graph join_pairs(ir::Graph graph, const Join& join);

// Output channels of a Conv, Gemm or MatMul with constant weights, or 0 for other nodes (ConvTranspose too).
std::int64_t weight_channels(const ir::Graph& graph, const ir::Node& node);

// Whether the node is no Gemm with alpha or beta other than 1 (fold_gemm_factors takes those away).
bool has_plain_factors(const ir::Node& node);

// Gives the node another constant there, under the name of the one it had; other readers keep that one.
void set_constant(ir::Graph& graph, ir::Node& node, std::size_t input, Tensor tensor);

// Multiplies the weights of every output channel by its factor.
void scale_weights(ir::Graph& graph, ir::Node& node, const std::vector<double>& factor);

// The node's bias in double, zeros when it has none; empty when it is computed or not one number a channel.
std::vector<double> bias_of(const ir::Graph& graph, const ir::Node& node);

// Gives the node this bias, named `name` where it had none (a MatMul becomes a Gemm).
void set_bias(ir::Graph& graph, ir::Node& node, const std::vector<double>& bias, const std::string& name);

}  // namespace halftone::passes
