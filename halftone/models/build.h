// Networks built by name, with fresh weights that a seed decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/ir/graph.h"

namespace halftone::models {

struct BuildOptions {
  std::optional<std::int64_t> classes;  // otherwise as many as the network was published with
};

// Input `input` [N,C,H,W], output `output` [N,classes]. The same name, seed and options give the same bytes
// on every machine. Throws UsageError listing the names when there is no such network, and for fewer than 2
// classes.
//
// - `mlp`: 1x28x28, 784-128-64-classes, tanh, no biases
// - `lenet`: 3x32x32, two 5x5 convolutions (6, 16) with max pooling, then 400-120-84-classes, ReLU, no biases
// - `lenet-bias`: lenet with a bias in its last layer
// - `mobilenetv2`: 3x224x224, width 1.0, as torchvision's mobilenet_v2
// - `resnet18`: 3x224x224, as torchvision's resnet18
// - `squeezenet`: 3x224x224, version 1.1, as torchvision's squeezenet1_1
// - `vgg16`: 3x224x224, without normalizations, as torchvision's vgg16
ir::Graph build(std::string_view name, std::uint64_t seed, const BuildOptions& options = {});

std::vector<std::string> names();

}  // namespace halftone::models
