// Random networks in integers, of every operator that has an integer form.
#pragma once

#include <cstdint>

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::engine {

struct RandomNetwork {
  qgraph::QuantizedGraph integers;
  std::string recipe;  // in words
  Shape sample;        // of the one input
};

// The same for the same seed. Now and then a node stays float.
RandomNetwork random_network(std::uint64_t seed);

}  // namespace halftone::engine
