// Where a network ends in float without losing anything.
#pragma once

#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::quant {

// By node, whether it belongs to the float end: a Softmax, LogSoftmax, ArgMax or Hardmax whose results reach
// nothing but graph outputs, or what moves, casts or requantizes such results on their way there. It only
// reads the answer off the last integers, so that the network counts as integers alone; hardware leaves it
// out.
std::vector<bool> float_end(const ir::Graph& graph);

}  // namespace halftone::quant
