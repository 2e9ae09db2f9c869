#include "halftone/models/squeezenet.h"

#include <fmt/format.h>

#include "halftone/models/layers.h"

namespace halftone::models {
namespace {

constexpr Init kInit = Init::kaiming_normal;

void conv_relu(Layers& layers, const std::string& name, const ConvLayer& layer) {
  layers.conv(name, layer);
  layers.add(name + ".relu", ir::Relu{});
}

// Squeezes to few channels; 1x1 and padded 3x3 convolutions of those, `expand` channels each, are
// concatenated.
void fire(Layers& layers, const std::string& name, std::int64_t squeeze, std::int64_t expand) {
  conv_relu(layers, name + ".squeeze", {.outputs = squeeze, .kernel = 1, .init = kInit, .bias = true});
  const ir::ValueId squeezed = layers.last();
  conv_relu(layers, name + ".expand3x3",
            {.outputs = expand, .kernel = 3, .padding = 1, .init = kInit, .bias = true});
  const ir::ValueId wide = layers.last();
  layers.continue_at(squeezed);
  conv_relu(layers, name + ".expand1x1", {.outputs = expand, .kernel = 1, .init = kInit, .bias = true});
  layers.join(name + ".concat", ir::Concat{.axis = 1}, wide);
}

}  // namespace

ir::Graph build_squeezenet(std::uint64_t seed, std::int64_t classes) {
  const ir::MaxPool halve{.window = {.kernel = {3, 3}, .strides = {2, 2}, .ceil_mode = true}};
  Layers layers({3, 224, 224}, seed);
  conv_relu(layers, "conv1", {.outputs = 64, .kernel = 3, .stride = 2, .init = kInit, .bias = true});
  layers.add("pool1", halve);
  fire(layers, "fire2", 16, 64);
  fire(layers, "fire3", 16, 64);
  layers.add("pool3", halve);
  fire(layers, "fire4", 32, 128);
  fire(layers, "fire5", 32, 128);
  layers.add("pool5", halve);
  fire(layers, "fire6", 48, 192);
  fire(layers, "fire7", 48, 192);
  fire(layers, "fire8", 64, 256);
  fire(layers, "fire9", 64, 256);
  conv_relu(layers, "classifier", {.outputs = classes, .kernel = 1, .init = kInit, .bias = true});
  layers.add("avgpool", ir::GlobalAveragePool{});
  layers.add("flatten", ir::Flatten{});
  return layers.finish();
}

}  // namespace halftone::models
