// Rewrites of float graphs, one a file. Each takes a graph and returns one that computes the same function, unless
// it says otherwise.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::passes {

// Computes what depends on constants alone.
ir::Graph fold_constants(ir::Graph graph);

// Removes Identity nodes, and Cast nodes to the type that is there.
ir::Graph remove_identity(ir::Graph graph);

// Writes alpha and beta of Gemm into its weights and bias, and a bias of one number out to all channels.
ir::Graph fold_gemm_factors(ir::Graph graph);

// Makes an Add of a constant, one number a channel, the bias of the Conv, Gemm or MatMul before it.
ir::Graph fuse_bias(ir::Graph graph);

// w' = w·γ/√(σ² + ε), b' = (b − μ)·γ/√(σ² + ε) + β: a BatchNormalization becomes part of the Conv or Gemm
// before it. (Jacob et al., CVPR 2018, section 3.2.)
ir::Graph fold_batch_norm(ir::Graph graph);

// Computes float16, bfloat16 and float64 in float32; graph inputs and outputs become float32 too. Constants are rounded
// to the nearest; throws InputError naming one that float32 does not hold.
ir::Graph widen_floats(ir::Graph graph);

// A Split becomes a Slice for each part.
ir::Graph unroll_splits(ir::Graph graph);

// (x − mean)/√(mean((x − mean)²) + ε)·scale + bias over the last dimension, as exporters take it apart,
// becomes one LayerNormalization.
ir::Graph fuse_layer_norm(ir::Graph graph);

// A MatMul of stacked rows [d0, …, K] with constant weights [K, M], and the Add of a bias behind it, becomes
// a Gemm of all rows between two Reshapes.
ir::Graph flatten_matmuls(ir::Graph graph);

// A ReduceMean over all of space becomes a GlobalAveragePool.
ir::Graph pool_means(ir::Graph graph);

// y = factor·x + bias with constants, one pair a channel (a BatchNormalization, or a Mul, Add, Sub or Div
// that no layer took): a 1x1 depthwise Conv, which has an integer form.
ir::Graph convolve_channel_factors(ir::Graph graph);

// Moves scale between layers of which one gives the other its channels, by s_c = √(r1_c·r2_c)/r2_c, r1 and r2
// being max|w| of the weights that give and take channel c, until all such pairs are even: weights of one scale a
// tensor then lose less. A ReLU6 inside becomes Relu and Min by channel. No part of `simplify`. (Nagel et al.,
// Data-Free Quantization, ICCV 2019, section 4.1.)
ir::Graph equalize_cross_layer(ir::Graph graph);

// W [K, M] ≈ (U_r·√S_r)·(√S_r·V_rᵀ), U·S·Vᵀ the singular value decomposition of W: a Gemm becomes two of rank r where
// those have fewer weights, r·(K + M) < K·M. `rank` is r, or, below 1, the part of Σs² that the least r keeps;
// ‖W − W_r‖² is the rest of Σs². Not the same function. No part of `simplify`. Throws UsageError unless
// is_rank(rank). (Qiu et al., Going Deeper with Embedded FPGA Platform, FPGA 2016, section 4.1.)
ir::Graph split_gemm(ir::Graph graph, double rank);
// A whole number from 1, or a number in (0, 1).
bool is_rank(double rank);

// Behind every value that both layers with weights and sums read, a copy for the layers (a Clip that clips nothing), so that
// integers of few bits, which pay in products, need not be those of the sums.
ir::Graph copy_before_layers(ir::Graph graph);

// Conv, ConvTranspose and Gemm layers, and MatMul of rows [N, K], that have no bias get one of zeros, for what is to be
// corrected by it. No part of `simplify`.
ir::Graph give_biases(ir::Graph graph);

// q' = q + 2^(b−1), z' = z + 2^(b−1): signed integers of at most 8 bits that stand between QuantizeLinear and DequantizeLinear become
// unsigned, for what runs those faster. Integers that others read stay as they are. No part of `simplify`.
ir::Graph unsigned_activations(ir::Graph graph);

// All of the above but the last four, in the order in which they help each other: what every quantization begins with.
ir::Graph simplify(const ir::Graph& graph);

}  // namespace halftone::passes
