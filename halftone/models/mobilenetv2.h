// MobileNetV2, width 1.0: inverted residuals with depthwise convolutions for 224x224 images.
// Source: Sandler et al., CVPR 2018, table 2; torchvision's mobilenet_v2.
#pragma once

#include "halftone/ir/graph.h"

namespace halftone::models {

ir::Graph build_mobilenetv2(std::uint64_t seed, std::int64_t classes);

}  // namespace halftone::models
