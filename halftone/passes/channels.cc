#include "halftone/passes/channels.h"

#include "halftone/passes/rewrite.h"

namespace halftone::passes {

namespace {

// Whether numbers of this shape differ along dimension 1 of x alone, one for each of its channels.
bool is_along_channels(const Shape& numbers, const Shape& x) {
  if (x.size() < 2 || numbers.size() > x.size() || numbers.size() + 1 < x.size()) return false;
  const std::size_t at = numbers.size() + 1 - x.size();
  return numbers[at] == x[1] && element_count(numbers) == x[1];
}

}  // namespace

bool is_channel_bound(const ir::Graph& graph, const ir::Node& node) {
  return std::holds_alternative<ir::Min>(node.op) && node.inputs.size() == 2 &&
         graph.constant(node.inputs[0]) == nullptr && graph.constant(node.inputs[1]) != nullptr &&
         is_along_channels(graph.constant(node.inputs[1])->shape(), graph.value(node.inputs[0]).shape);
}

bool is_positive_clip(const ir::Node& node) {
  const auto* clip = std::get_if<ir::Clip>(&node.op);
  return clip != nullptr && clip->lo == 0.0F;
}

bool scales_along(const ir::Op& op) {
  if (const auto* pool = std::get_if<ir::MaxPool>(&op)) return !pool->with_indices;
  return std::holds_alternative<ir::Relu>(op) || std::holds_alternative<ir::LeakyRelu>(op) ||
         std::holds_alternative<ir::AveragePool>(op) || std::holds_alternative<ir::GlobalAveragePool>(op) ||
         std::holds_alternative<ir::GlobalMaxPool>(op);
}

bool gives_channels(const ir::Graph& graph, const ir::Node& node) {
  return weight_channels(graph, node) > 0 && has_plain_factors(node) && !bias_of(graph, node).empty() &&
         (std::holds_alternative<ir::Conv>(node.op) || graph.value(node.outputs[0]).shape.size() == 2);
}

bool takes_channels(const ir::Graph& graph, const ir::Node& node) {
  return weight_channels(graph, node) > 0 && has_plain_factors(node) &&
         (std::holds_alternative<ir::Conv>(node.op) || graph.value(node.inputs[0]).shape.size() == 2);
}

void for_taking(const ir::Graph& graph, const ir::Node& node,
                const std::function<void(std::size_t weight, std::size_t channel)>& visit) {
  const Tensor& w = *graph.constant(node.inputs[1]);
  const auto size = static_cast<std::size_t>(w.size());
  if (const auto* conv = std::get_if<ir::Conv>(&node.op)) {
    const auto outputs = static_cast<std::size_t>(w.dim(0));
    const auto depth = static_cast<std::size_t>(w.dim(1));
    const std::size_t row = size / outputs;
    const std::size_t outputs_a_group = outputs / static_cast<std::size_t>(conv->groups);
    for (std::size_t i = 0; i < size; ++i)
      visit(i, i / row / outputs_a_group * depth + i % row / (row / depth));
    return;
  }
  const auto columns = static_cast<std::size_t>(w.dim(1));
  for (std::size_t i = 0; i < size; ++i) visit(i, ir::weight_axis(node.op) == 1 ? i / columns : i % columns);
}

void scale_taking(ir::Graph& graph, ir::Node& node, const std::vector<double>& factor) {
  Tensor taken = *graph.constant(node.inputs[1]);
  auto values = taken.mutable_data<float>();
  for_taking(graph, node, [&](std::size_t i, std::size_t channel) {
    values[i] = static_cast<float>(values[i] * factor[channel]);
  });
  set_constant(graph, node, 1, std::move(taken));
}

void divide_giving(ir::Graph& graph, ir::Node& node, const std::vector<double>& scale) {
  std::vector<double> factor;
  std::vector<double> bias = bias_of(graph, node);
  for (std::size_t c = 0; c < scale.size(); ++c) {
    factor.push_back(1.0 / scale[c]);
    bias[c] /= scale[c];
  }
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
  const std::string name = has_bias ? graph.value(node.inputs[2]).name : "";
  scale_weights(graph, node, factor);
  if (has_bias) set_bias(graph, node, bias, name);
}

std::string bias_name(const ir::Graph& graph, const ir::Node& node) {
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
  return has_bias ? graph.value(node.inputs[2]).name : graph.value(node.inputs[1]).name + "_bias";
}

}  // namespace halftone::passes
