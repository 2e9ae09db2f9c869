// From a network to a program for one set of input shapes.
#pragma once

#include "halftone/float_engine/constants.h"
#include "halftone/float_engine/program.h"

namespace halftone::float_engine {

enum class Visits {
  none,   // nodes may be computed together, and values stay in oneDNN's layouts
  every,  // every value is made a Tensor and shown
  outputs,  // as none, and outputs are watched in the layouts they have, not returned
};

// Throws InputError when the network does not take inputs of these shapes.
std::unique_ptr<Program> compile(const ir::Graph& graph, const std::vector<Shape>& inputs, Visits visits,
                                 Constants& constants);

}  // namespace halftone::float_engine
