#include "halftone/models/lenet.h"

#include "halftone/models/layers.h"

namespace halftone::models {
namespace {

ir::Graph build_variant(std::uint64_t seed, std::int64_t classes, bool last_bias) {
  const ir::MaxPool halve{.window = {.kernel = {2, 2}, .strides = {2, 2}}};
  Layers layers({3, 32, 32}, seed);
  layers.conv("conv1", {.outputs = 6, .kernel = 5});
  layers.add("relu1", ir::Relu{});
  layers.add("pool1", halve);
  layers.conv("conv2", {.outputs = 16, .kernel = 5});
  layers.add("relu2", ir::Relu{});
  layers.add("pool2", halve);
  layers.add("flatten", ir::Flatten{});
  layers.dense("fc1", {.outputs = 120});
  layers.add("relu3", ir::Relu{});
  layers.dense("fc2", {.outputs = 84});
  layers.add("relu4", ir::Relu{});
  layers.dense("fc3", {.outputs = classes, .init = Init::xavier, .bias = last_bias});
  return layers.finish();
}

}  // namespace

ir::Graph build_lenet(std::uint64_t seed, std::int64_t classes) {
  return build_variant(seed, classes, false);
}

ir::Graph build_lenet_bias(std::uint64_t seed, std::int64_t classes) {
  return build_variant(seed, classes, true);
}

}  // namespace halftone::models
