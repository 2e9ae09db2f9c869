// The integers that a node computes with, besides its inputs.
#pragma once

#include <string>
#include <vector>

#include "halftone/qgraph/quantized_graph.h"
#include "halftone/testbench/integer_array.h"

namespace halftone::testbench {

struct NamedArray {
  std::string kind;
  IntegerArray array;
};

// Weights of a Gemm or Conv stand in the order of its loop, [outputs, inputs, …]:
//   weight         as stored, their zero points not taken off; of a codebook, its entries
//   weight_packed  rows as numeric::pack_rows makes them, one for each output; of a codebook, of the places in it
//   weight_index, codebook  those places, and the entries
//   bias           as it is added, in as few bits as hold all
// and of every node that has some
//   multiplier     m, in B bits where the arithmetic is fixed; in mode onnx the bits of a float32
//   shift          to the right
//   table          entries, a row for each channel
std::vector<NamedArray> constants_of(const qgraph::QuantizedGraph& graph, const qgraph::Node& node);

}  // namespace halftone::testbench
