#include "halftone/models/mobilenetv2.h"

#include <fmt/format.h>

#include "halftone/models/layers.h"

namespace halftone::models {
namespace {

constexpr Init kInit = Init::kaiming_normal;

void activation(Layers& layers, const std::string& name) {
  layers.add(name, ir::Clip{.lo = 0.0F, .hi = 6.0F});
}

// A depthwise 3x3 convolution between a 1x1 one that widens `expansion` times and a linear 1x1 one that
// narrows; x is added where the shape stays. The first convolution reads numbers that no ReLU has halved:
// twice the variance.
void inverted_residual(Layers& layers, const std::string& name, std::int64_t expansion, std::int64_t outputs,
                       std::int64_t stride) {
  const ir::ValueId x = layers.last();
  const std::int64_t inputs = layers.channels();
  const std::int64_t hidden = inputs * expansion;
  if (expansion != 1) {
    layers.conv(name + ".expand", {.outputs = hidden, .kernel = 1, .init = kInit});
    layers.batch_norm(name + ".expand.bn", 2.0F);
    activation(layers, name + ".expand.relu6");
  }
  layers.conv(
      name + ".depthwise",
      {.outputs = hidden, .kernel = 3, .stride = stride, .padding = 1, .groups = hidden, .init = kInit});
  layers.batch_norm(name + ".depthwise.bn");
  activation(layers, name + ".depthwise.relu6");
  layers.conv(name + ".project", {.outputs = outputs, .kernel = 1, .init = kInit});
  layers.batch_norm(name + ".project.bn");
  if (stride == 1 && inputs == outputs) layers.join(name + ".add", ir::Add{}, x);
}

struct Stage {
  std::int64_t expansion;
  std::int64_t outputs;
  int blocks;
  std::int64_t stride;  // of the first block
};
constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

}  // namespace

ir::Graph build_mobilenetv2(std::uint64_t seed, std::int64_t classes) {
  Layers layers({3, 224, 224}, seed);
  layers.conv("first", {.outputs = 32, .kernel = 3, .stride = 2, .padding = 1, .init = kInit});
  layers.batch_norm("first.bn", 2.0F);
  activation(layers, "first.relu6");
  int number = 1;
  for (const Stage& stage : kStages)
    for (int block = 0; block < stage.blocks; ++block)
      inverted_residual(layers, fmt::format("block{}", number++), stage.expansion, stage.outputs,
                        block == 0 ? stage.stride : 1);
  layers.conv("last", {.outputs = 1280, .kernel = 1, .init = kInit});
  layers.batch_norm("last.bn", 2.0F);
  activation(layers, "last.relu6");
  layers.add("avgpool", ir::GlobalAveragePool{});
  layers.add("flatten", ir::Flatten{});
  layers.dense("classifier", {.outputs = classes, .init = kInit, .bias = true});
  return layers.finish();
}

}  // namespace halftone::models
