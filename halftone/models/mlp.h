// A perceptron for 28x28 images: three dense layers, tanh between them.
#pragma once

#include "halftone/models/build.h"

namespace halftone::models {

ir::Graph build_mlp(std::uint64_t seed, const BuildOptions& options);

}  // namespace halftone::models
