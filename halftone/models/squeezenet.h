// SqueezeNet 1.1: fire modules (1x1 convolutions that squeeze, 1x1 and 3x3 ones that expand) for 224x224
// images. Source: Iandola et al., arXiv:1602.07360; version 1.1 as torchvision's squeezenet1_1.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::models {

ir::Graph build_squeezenet(std::uint64_t seed, std::int64_t classes);

}  // namespace halftone::models
