// A perceptron for 28x28 images: three dense layers, tanh between them.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::models {

ir::Graph build_mlp(std::uint64_t seed, std::int64_t classes);

}  // namespace halftone::models
