// LeNet-5 for 32x32 colour images, with ReLU and max pooling.
// Source: LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 86(11), 1998.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::models {

ir::Graph build_lenet(std::uint64_t seed, std::int64_t classes);
ir::Graph build_lenet_bias(std::uint64_t seed, std::int64_t classes);

}  // namespace halftone::models
