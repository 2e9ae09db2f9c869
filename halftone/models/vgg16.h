// VGG-16 (configuration D, without normalizations): thirteen 3x3 convolutions for 224x224 images, then three
// dense layers. Source: Simonyan and Zisserman, ICLR 2015, table 1; torchvision's vgg16.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::models {

ir::Graph build_vgg16(std::uint64_t seed, std::int64_t classes);

}  // namespace halftone::models
