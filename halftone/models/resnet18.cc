#include "halftone/models/resnet18.h"

#include <fmt/format.h>

#include "halftone/models/layers.h"

namespace halftone::models {
namespace {

constexpr Init kInit = Init::kaiming_normal;

void normalized_conv(Layers& layers, const std::string& name, const std::string& norm,
                     const ConvLayer& layer) {
  layers.conv(name, layer);
  layers.batch_norm(norm);
}

// relu(x' + bn(conv(relu(bn(conv(x)))))); x' is x, or a normalized 1x1 convolution of it where the shape
// changes.
void basic_block(Layers& layers, const std::string& name, std::int64_t outputs, std::int64_t stride) {
  const ir::ValueId x = layers.last();
  const bool same_shape = stride == 1 && layers.channels() == outputs;
  normalized_conv(layers, name + ".conv1", name + ".bn1",
                  {.outputs = outputs, .kernel = 3, .stride = stride, .padding = 1, .init = kInit});
  layers.add(name + ".relu1", ir::Relu{});
  normalized_conv(layers, name + ".conv2", name + ".bn2",
                  {.outputs = outputs, .kernel = 3, .padding = 1, .init = kInit});
  const ir::ValueId y = layers.last();
  layers.continue_at(x);
  if (!same_shape)
    normalized_conv(layers, name + ".downsample.0", name + ".downsample.1",
                    {.outputs = outputs, .kernel = 1, .stride = stride, .init = kInit});
  const ir::ValueId shortcut = layers.last();
  layers.continue_at(y);
  layers.join(name + ".add", ir::Add{}, shortcut);
  layers.add(name + ".relu2", ir::Relu{});
}

}  // namespace

ir::Graph build_resnet18(std::uint64_t seed, std::int64_t classes) {
  Layers layers({3, 224, 224}, seed);
  normalized_conv(layers, "conv1", "bn1",
                  {.outputs = 64, .kernel = 7, .stride = 2, .padding = 3, .init = kInit});
  layers.add("relu", ir::Relu{});
  layers.add("maxpool", ir::MaxPool{.window = {.kernel = {3, 3}, .strides = {2, 2}, .pads = {1, 1, 1, 1}}});
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < 2; ++block)
      basic_block(layers, fmt::format("layer{}.{}", stage + 1, block), 64LL << stage,
                  stage > 0 && block == 0 ? 2 : 1);
  layers.add("avgpool", ir::GlobalAveragePool{});
  layers.add("flatten", ir::Flatten{});
  layers.dense("fc", {.outputs = classes, .init = kInit, .bias = true});
  return layers.finish();
}

}  // namespace halftone::models
