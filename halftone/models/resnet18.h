// ResNet-18: a residual network of eight basic blocks for 224x224 images, normalized after every convolution.
// Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1; torchvision's
// resnet18.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::models {

ir::Graph build_resnet18(std::uint64_t seed, std::int64_t classes);

}  // namespace halftone::models
