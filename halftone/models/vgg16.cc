#include "halftone/models/vgg16.h"

#include <fmt/format.h>

#include "halftone/models/layers.h"

namespace halftone::models {
namespace {

constexpr Init kInit = Init::kaiming_normal;

struct Stage {
  std::int64_t outputs;
  int convolutions;
};
constexpr Stage kStages[] = {{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}};

}  // namespace

ir::Graph build_vgg16(std::uint64_t seed, std::int64_t classes) {
  Layers layers({3, 224, 224}, seed);
  int stage_number = 1;
  for (const Stage& stage : kStages) {
    for (int i = 1; i <= stage.convolutions; ++i) {
      const std::string name = fmt::format("conv{}_{}", stage_number, i);
      layers.conv(name, {.outputs = stage.outputs, .kernel = 3, .padding = 1, .init = kInit, .bias = true});
      layers.add(name + ".relu", ir::Relu{});
    }
    layers.add(fmt::format("pool{}", stage_number++),
               ir::MaxPool{.window = {.kernel = {2, 2}, .strides = {2, 2}}});
  }
  layers.add("flatten", ir::Flatten{});
  for (const char* name : {"fc6", "fc7"}) {
    layers.dense(name, {.outputs = 4096, .init = kInit, .bias = true});
    layers.add(std::string(name) + ".relu", ir::Relu{});
  }
  layers.dense("fc8", {.outputs = classes, .init = kInit, .bias = true});
  return layers.finish();
}

}  // namespace halftone::models
