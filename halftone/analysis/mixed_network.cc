#include "halftone/analysis/mixed_network.h"

#include <algorithm>

namespace halftone::analysis {
namespace {

// The value through a Quantize and a Dequantize that are inserted before node `at`.
ir::ValueId insert_pair(ir::Graph& graph, std::size_t at, ir::ValueId id,
                        const MatchedActivation& activation) {
  const numeric::Affine& affine = activation.params.tensor();
  const DType dtype = numeric::storage_dtype(activation.params.format);
  const ir::ValueId scale =
      graph.add_constant(activation.name + "_scale", Tensor::from<float>({}, {&affine.scale, 1}));
  const ir::ValueId zero = graph.add_constant(activation.name + "_zero_point",
                                              numeric::from_int32({}, {&affine.zero_point, 1}, dtype));
  const ir::ValueId q =
      graph.add_node(ir::quantizer(activation.params.format, activation.rounding), {id, scale, zero}, activation.name + "_quantized");
  const ir::ValueId real =
      graph.add_node(ir::DequantizeLinear{}, {q, scale, zero}, activation.name + "_dequantized");
  const auto first = graph.nodes.begin() + static_cast<std::ptrdiff_t>(at);
  std::rotate(first, graph.nodes.end() - 2, graph.nodes.end());
  return real;
}

void quantize_output(ir::Graph& graph, const MatchedActivation& activation) {
  const std::vector<int> producers = ir::producers(graph);
  const auto at = static_cast<std::size_t>(producers[static_cast<std::size_t>(activation.value)] + 1);
  const ir::ValueId real = insert_pair(graph, at, activation.value, activation);
  for (std::size_t n = at + 2; n < graph.nodes.size(); ++n)
    std::ranges::replace(graph.nodes[n].inputs, activation.value, real);
  std::ranges::replace(graph.outputs, activation.value, real);
}

}  // namespace

LayerParts parts_that_change(const MatchedModels& models, std::size_t layer, const LayerParts& parts) {
  const MatchedLayer& own = models.layers[layer];
  const ir::Node& node = models.real.nodes[own.node];
  return {.weights = parts.weights && own.weights != *models.real.constant(node.inputs[1]),
          .activation = parts.activation && own.input.has_value(),
          .bias = parts.bias && own.bias.has_value() && *own.bias != *models.real.constant(node.inputs[2]),
          .requantization = parts.requantization && own.output.has_value()};
}

ir::Graph mixed_network(const MatchedModels& models, std::size_t layer, const LayerParts& parts) {
  const MatchedLayer& own = models.layers[layer];
  ir::Graph graph = models.real;
  std::size_t n = own.node;
  if (parts.requantization && own.output) quantize_output(graph, models.activations[*own.output]);
  if (parts.weights) graph.nodes[n].inputs[1] = graph.add_constant(own.name + "_weights", own.weights);
  if (parts.bias && own.bias) graph.nodes[n].inputs[2] = graph.add_constant(own.name + "_bias", *own.bias);
  if (parts.activation && own.input) {
    const ir::ValueId real = insert_pair(graph, n, graph.nodes[n].inputs[0], models.activations[*own.input]);
    graph.nodes[n + 2].inputs[0] = real;
  }
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::analysis
