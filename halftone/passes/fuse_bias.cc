#include <algorithm>

#include "halftone/passes/pass.h"
#include "halftone/passes/rewrite.h"

namespace halftone::passes {
namespace {

// Whether a constant of this shape adds one number to every channel of y, for y [N, M] or [N, M, H, W].
bool is_per_channel(const Shape& constant, const Shape& y, std::int64_t channels) {
  const std::size_t behind = y.size() - 2;  // dimensions after the channels
  if (constant.size() < behind + 1 || constant.size() > y.size()) return false;
  const std::size_t at = constant.size() - 1 - behind;
  for (std::size_t d = 0; d < constant.size(); ++d)
    if (constant[d] != (d == at ? channels : 1)) return false;
  return true;
}

bool join_add(ir::Graph& graph, ir::Node& producer, const ir::Node& node) {
  const std::int64_t channels = weight_channels(graph, producer);
  if (!std::holds_alternative<ir::Add>(node.op) || channels == 0) return false;
  const Tensor* constant = graph.constant(node.inputs[1]);
  const Shape& y = graph.value(node.inputs[0]).shape;
  if (constant == nullptr || constant->dtype() != DType::float32 || y.size() < 2) return false;
  if (std::holds_alternative<ir::MatMul>(producer.op) && graph.value(producer.inputs[0]).shape.size() != 2)
    return false;
  if (!has_plain_factors(producer)) return false;
  std::vector<double> bias = bias_of(graph, producer);
  if (bias.empty() || !is_per_channel(constant->shape(), y, channels)) return false;
  const auto values = constant->data<float>();
  for (std::size_t c = 0; c < bias.size(); ++c) bias[c] += values[c];
  set_bias(graph, producer, bias, graph.value(node.inputs[1]).name);
  return true;
}

}  // namespace

ir::Graph fuse_bias(ir::Graph graph) {
  // Addition commutes; the constant goes second.
  for (ir::Node& node : graph.nodes)
    if (std::holds_alternative<ir::Add>(node.op) && graph.constant(node.inputs[0]) != nullptr)
      std::swap(node.inputs[0], node.inputs[1]);
  return join_pairs(std::move(graph), join_add);
}

}  // namespace halftone::passes
