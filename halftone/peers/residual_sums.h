// Sums that a convolution takes in: y = conv(x) + residual, written over the residual.
#pragma once

#include <map>

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::peers {

struct ResidualSum {
  std::size_t add = 0;  // the index of the Add
  qgraph::ValueId residual = 0;
  float conv_scale = 1.0F;      // s_conv / s_y
  float residual_scale = 1.0F;  // s_residual / s_y
};

// By the index of the Conv: of the two operands of an Add the one computed last, where the Add alone reads it and nothing reads the other
// later.
std::map<std::size_t, ResidualSum> residual_sums(const qgraph::QuantizedGraph& graph);

}  // namespace halftone::peers
