// A network in integers as a chain of oneDNN's primitives.
#pragma once

#include <vector>

#include "halftone/peers/onednn_chain.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::peers {

struct OnednnNetwork {
  OnednnChain chain;
  std::vector<dnnl::memory> inputs;   // row-major float32
  std::vector<dnnl::memory> outputs;  // likewise
};

// Throws UnsupportedError naming the node that has no primitive.
void build(const qgraph::QuantizedGraph& graph, std::int64_t batch, OnednnNetwork& network);

}  // namespace halftone::peers
