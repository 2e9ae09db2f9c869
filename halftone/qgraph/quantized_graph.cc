#include "halftone/qgraph/quantized_graph.h"

#include <algorithm>

namespace halftone::qgraph {
namespace {

std::int64_t elements(const Shape& shape) {
  std::int64_t count = 1;
  for (std::int64_t dim : shape) count *= dim == kDynamic ? 1 : dim;
  return count;
}

// The shape of an island's input by position; constants stand among them.
Shape operand_shape(const QuantizedGraph& graph, const Node& node, const Float& island,
                    std::size_t position) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < island.constants.size(); ++i) {
    const auto& constant = island.constants[i];
    if (i == position) return constant ? constant->shape() : graph.value(node.inputs[next]).shape;
    if (!constant) ++next;
  }
  return {};
}

bool computes_integers(const ir::Op& op) {
  return std::holds_alternative<ir::ConvInteger>(op) || std::holds_alternative<ir::MatMulInteger>(op);
}

}  // namespace

bool QuantizedGraph::integer_only() const {
  const auto inner = [&](const Node& node) {
    if (std::holds_alternative<Float>(node.op)) return true;
    return std::holds_alternative<Quantize>(node.op) &&
           std::ranges::find(inputs, node.inputs[0]) == inputs.end();
  };
  return std::ranges::none_of(nodes, inner);
}

std::string_view name_of(const Op& op) {
  return std::visit([](const auto& o) { return std::decay_t<decltype(o)>::kName; }, op);
}

std::int64_t multiply_adds(const ir::Op& op, const Shape& x, const Shape& w, const Shape& y) {
  if (std::holds_alternative<ir::Conv>(op) || std::holds_alternative<ir::ConvInteger>(op))
    return elements(y) * elements(w) / std::max<std::int64_t>(w.at(0), 1);
  if (std::holds_alternative<ir::ConvTranspose>(op))
    return elements(x) * elements(w) / std::max<std::int64_t>(w.at(0), 1);
  if (const auto* gemm = std::get_if<ir::Gemm>(&op))
    return elements(y) * elements({x.at(gemm->trans_a ? 0 : 1)});
  if (std::holds_alternative<ir::MatMul>(op) || std::holds_alternative<ir::MatMulInteger>(op)) return elements(y) * elements({x.back()});
  return 0;
}

Work count_work(const QuantizedGraph& graph) {
  Work work;
  const Node* before = nullptr;
  for (const Node& node : graph.nodes) {
    const bool other_output = before != nullptr && std::holds_alternative<Float>(node.op) &&
                              std::holds_alternative<Float>(before->op) && before->name == node.name &&
                              before->inputs == node.inputs && std::get<Float>(node.op).result > 0;
    before = &node;
    if (other_output) continue;
    const Shape& y = graph.value(node.output).shape;
    if (const auto* island = std::get_if<Float>(&node.op)) {
      const bool integers = computes_integers(island->op);
      ++(integers ? work.integer_nodes : work.float_nodes);
      (integers ? work.integer_macs : work.float_macs) += multiply_adds(
          island->op, operand_shape(graph, node, *island, 0), operand_shape(graph, node, *island, 1), y);
    } else if (!std::holds_alternative<Quantize>(node.op) && !std::holds_alternative<Dequantize>(node.op)) {
      ++work.integer_nodes;
      if (const auto* gemm = std::get_if<Gemm>(&node.op))
        work.integer_macs += elements(y) * gemm->linear.reduction;
      if (const auto* conv = std::get_if<Conv>(&node.op))
        work.integer_macs += elements(y) * conv->linear.reduction / (conv->spread[0] * conv->spread[1]);
    }
  }
  return work;
}

}  // namespace halftone::qgraph
