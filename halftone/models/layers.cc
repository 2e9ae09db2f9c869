#include "halftone/models/layers.h"

#include "halftone/ir/infer.h"

namespace halftone::models {

Layers::Layers(const Shape& image, std::uint64_t seed) : random_(seed) {
  Shape input{kDynamic};
  input.insert(input.end(), image.begin(), image.end());
  last_ = graph_.add_input("input", DType::float32, input);
}

void Layers::dense(const std::string& name, const DenseLayer& layer) {
  const Shape weight_shape{layer.outputs, shape().at(1)};
  std::vector<ir::ValueId> inputs{
      last_, graph_.add_constant(name + ".weight", random_weights(weight_shape, layer.init, random_))};
  if (layer.bias)
    inputs.push_back(graph_.add_constant(name + ".bias", Tensor(DType::float32, {layer.outputs})));
  last_ = graph_.add_node(ir::Gemm{.trans_b = true}, std::move(inputs), name);
}

void Layers::conv(const std::string& name, const ConvLayer& layer) {
  const Shape weight_shape{layer.outputs, channels() / layer.groups, layer.kernel, layer.kernel};
  std::vector<ir::ValueId> inputs{
      last_, graph_.add_constant(name + ".weight", random_weights(weight_shape, layer.init, random_))};
  if (layer.bias)
    inputs.push_back(graph_.add_constant(name + ".bias", Tensor(DType::float32, {layer.outputs})));
  ir::Window window{.kernel = {layer.kernel, layer.kernel}};
  if (layer.stride != 1) window.strides = {layer.stride, layer.stride};
  if (layer.padding != 0) window.pads.assign(4, layer.padding);
  last_ =
      graph_.add_node(ir::Conv{.window = std::move(window), .groups = layer.groups}, std::move(inputs), name);
}

void Layers::batch_norm(const std::string& name, float variance) {
  const auto statistic = [&](const char* ending, float centre, float spread) {
    return graph_.add_constant(name + ending, random_near(channels(), centre, spread, random_));
  };
  const ir::ValueId weight = statistic(".weight", 1.0F, 0.125F);
  const ir::ValueId bias = statistic(".bias", 0.0F, 0.125F);
  const ir::ValueId mean = statistic(".running_mean", 0.0F, 0.125F);
  const ir::ValueId var = statistic(".running_var", variance, variance / 4.0F);
  last_ = graph_.add_node(ir::BatchNormalization{}, {last_, weight, bias, mean, var}, name);
}

void Layers::add(std::string_view name, ir::Op op) {
  last_ = graph_.add_node(std::move(op), {last_}, std::string(name));
}

void Layers::join(std::string_view name, ir::Op op, ir::ValueId other) {
  last_ = graph_.add_node(std::move(op), {last_, other}, std::string(name));
}

ir::Graph Layers::finish() {
  graph_.value(last_).name = "output";
  graph_.outputs = {last_};
  ir::check(graph_);
  return std::move(graph_);
}

}  // namespace halftone::models
