#include "halftone/qgraph/quantized_graph.h"

#include <algorithm>

namespace halftone::qgraph {
namespace {

std::int64_t elements(const Shape& shape) {
  std::int64_t count = 1;
  for (std::int64_t dim : shape) count *= dim == kDynamic ? 1 : dim;
  return count;
}

}  // namespace

bool QuantizedGraph::integer_only() const {
  return std::ranges::none_of(nodes, [](const Node& node) { return std::holds_alternative<Float>(node.op); });
}

std::string_view name_of(const Op& op) {
  return std::visit([](const auto& o) { return std::decay_t<decltype(o)>::kName; }, op);
}

std::int64_t multiply_adds(const ir::Op& op, const Shape& x, const Shape& w, const Shape& y) {
  if (std::holds_alternative<ir::Conv>(op))
    return elements(y) * elements(w) / std::max<std::int64_t>(w.at(0), 1);
  if (const auto* gemm = std::get_if<ir::Gemm>(&op))
    return elements(y) * elements({x.at(gemm->trans_a ? 0 : 1)});
  if (std::holds_alternative<ir::MatMul>(op)) return elements(y) * elements({x.back()});
  return 0;
}

Work count_work(const QuantizedGraph& graph) {
  Work work;
  for (const Node& node : graph.nodes) {
    const Shape& y = graph.value(node.output).shape;
    if (const auto* island = std::get_if<Float>(&node.op)) {
      ++work.float_nodes;
      const Shape w = island->constants.size() > 1 && island->constants[1] ? island->constants[1]->shape()
                      : node.inputs.size() > 1                             ? graph.value(node.inputs[1]).shape
                                                                           : Shape{};
      if (!node.inputs.empty())
        work.float_macs += multiply_adds(island->op, graph.value(node.inputs[0]).shape, w, y);
    } else if (!std::holds_alternative<Quantize>(node.op) && !std::holds_alternative<Dequantize>(node.op)) {
      ++work.integer_nodes;
      if (const auto* gemm = std::get_if<Gemm>(&node.op))
        work.integer_macs += elements(y) * gemm->linear.reduction;
      if (const auto* conv = std::get_if<Conv>(&node.op))
        work.integer_macs += elements(y) * conv->linear.reduction;
    }
  }
  return work;
}

}  // namespace halftone::qgraph
