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
  const Shape weight_shape{layer.outputs, shape().at(1), layer.kernel, layer.kernel};
  const ir::ValueId weight =
      graph_.add_constant(name + ".weight", random_weights(weight_shape, layer.init, random_));
  last_ =
      graph_.add_node(ir::Conv{.window = {.kernel = {layer.kernel, layer.kernel}}}, {last_, weight}, name);
}

void Layers::add(std::string_view name, ir::Op op) {
  last_ = graph_.add_node(std::move(op), {last_}, std::string(name));
}

ir::Graph Layers::finish() {
  graph_.value(last_).name = "output";
  graph_.outputs = {last_};
  ir::check(graph_);
  return std::move(graph_);
}

}  // namespace halftone::models
