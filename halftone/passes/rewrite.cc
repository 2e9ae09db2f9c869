#include "halftone/passes/rewrite.h"

#include "halftone/ir/infer.h"

namespace halftone::passes {
ir::Graph join_pairs(ir::Graph graph, const Join& join) {
  std::vector<int> producer = ir::producers(graph);
  const std::vector<int> uses = ir::use_counts(graph);
  std::vector<bool> gone(graph.nodes.size(), false);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node node = graph.nodes[n];
    if (node.inputs.empty() || node.inputs[0] == ir::kNoValue) continue;
    const auto x = static_cast<std::size_t>(node.inputs[0]);
    if (producer[x] < 0 || uses[x] != 1) continue;
    ir::Node& first = graph.nodes[static_cast<std::size_t>(producer[x])];
    if (first.outputs.size() != 1 || !join(graph, first, node)) continue;
    first.outputs = node.outputs;
    producer[static_cast<std::size_t>(node.outputs[0])] = producer[x];
    gone[n] = true;
  }
  ir::Nodes kept;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (!gone[n]) kept.push_back(std::move(graph.nodes[n]));
  graph.nodes = std::move(kept);
  graph = ir::without_dead_nodes(graph);
  ir::infer_shapes(graph);
  return graph;
}

std::int64_t weight_channels(const ir::Graph& graph, const ir::Node& node) {
  const bool linear = ir::is_linear(node.op) && !std::holds_alternative<ir::ConvTranspose>(node.op);
  const Tensor* w = linear ? graph.constant(node.inputs[1]) : nullptr;
  if (w == nullptr || w->dtype() != DType::float32 || w->rank() < 2) return 0;
  if (std::holds_alternative<ir::Conv>(node.op)) return w->dim(0);
  return w->rank() == 2 ? w->dim(static_cast<std::size_t>(ir::weight_axis(node.op))) : 0;
}

bool has_plain_factors(const ir::Node& node) {
  const auto* gemm = std::get_if<ir::Gemm>(&node.op);
  return gemm == nullptr || (gemm->alpha == 1.0F && gemm->beta == 1.0F);
}

void set_constant(ir::Graph& graph, ir::Node& node, std::size_t input, Tensor tensor) {
  ir::Value& value = graph.value(node.inputs[input]);
  const auto uses = ir::use_counts(graph);
  if (uses[static_cast<std::size_t>(node.inputs[input])] > 1) {
    node.inputs[input] = graph.add_constant(value.name, std::move(tensor));
    return;
  }
  value.shape = tensor.shape();
  value.constant = std::move(tensor);
}

void scale_weights(ir::Graph& graph, ir::Node& node, const std::vector<double>& factor) {
  Tensor scaled = *graph.constant(node.inputs[1]);
  auto values = scaled.mutable_data<float>();
  const auto channels = static_cast<std::size_t>(weight_channels(graph, node));
  const std::size_t row = channels == 0 ? 0 : values.size() / channels;
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] =
        static_cast<float>(values[i] * factor[ir::weight_axis(node.op) == 1 ? i % channels : i / row]);
  set_constant(graph, node, 1, std::move(scaled));
}

std::vector<double> bias_of(const ir::Graph& graph, const ir::Node& node) {
  const std::int64_t channels = weight_channels(graph, node);
  std::vector<double> bias(static_cast<std::size_t>(channels), 0.0);
  if (node.inputs.size() < 3 || node.inputs[2] == ir::kNoValue) return bias;
  const Tensor* tensor = graph.constant(node.inputs[2]);
  if (tensor == nullptr || tensor->dtype() != DType::float32 ||
      !ir::is_channel_bias(tensor->shape(), channels))
    return {};
  const auto values = tensor->data<float>();
  return {values.begin(), values.end()};
}

void set_bias(ir::Graph& graph, ir::Node& node, const std::vector<double>& bias, const std::string& name) {
  const std::vector<float> values(bias.begin(), bias.end());
  Tensor tensor = Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values);
  if (std::holds_alternative<ir::MatMul>(node.op)) node.op = ir::Gemm{};
  node.inputs.resize(3, ir::kNoValue);
  if (node.inputs[2] != ir::kNoValue)
    set_constant(graph, node, 2, std::move(tensor));
  else
    node.inputs[2] = graph.add_constant(name, std::move(tensor));
}

}  // namespace halftone::passes
