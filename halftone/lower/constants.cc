#include "halftone/lower/constants.h"

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::lower {

numeric::QuantParams params_of(const ir::Graph& graph, const ir::Node& node) {
  const Tensor* scale = graph.constant(node.inputs[1]);
  const bool has_zero = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
  const Tensor* zero = has_zero ? graph.constant(node.inputs[2]) : nullptr;
  const std::string where = ir::describe(graph, node);
  if (scale == nullptr || (has_zero && zero == nullptr))
    throw UnsupportedError(where, "scale or zero point computed at run time, expected constants", Remedy::fold_constants);
  const Shape& shape = graph.value(node.inputs[0]).shape;
  if (const auto* quantize = std::get_if<ir::QuantizeLinear>(&node.op))
    return ir::linear_params(*quantize, *scale, zero, graph.value(node.outputs[0]).dtype, shape, where);
  return ir::linear_params(std::get<ir::DequantizeLinear>(node.op), *scale, zero, graph.value(node.inputs[0]).dtype, shape,
                           where);
}

std::optional<ConstantOperand> constant_operand(const ir::Graph& graph, const ir::Node* producer) {
  if (producer == nullptr || !std::holds_alternative<ir::DequantizeLinear>(producer->op)) return std::nullopt;
  const Tensor* q = graph.constant(producer->inputs[0]);
  if (q == nullptr) return std::nullopt;
  return ConstantOperand{*q, params_of(graph, *producer)};
}

void fold_integer_weights(ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes) {
    const bool fixed = std::ranges::all_of(
        node.inputs, [&](ir::ValueId id) { return id == ir::kNoValue || graph.constant(id) != nullptr; });
    const bool makes_weights = std::holds_alternative<ir::QuantizeLinear>(node.op) ||
                               std::holds_alternative<ir::Gather>(node.op) || std::holds_alternative<ir::Cast>(node.op);
    if (!makes_weights || !fixed) continue;
    std::vector<const Tensor*> inputs;
    for (ir::ValueId id : node.inputs) inputs.push_back(graph.constant(id));
    graph.value(node.outputs[0]).constant = ir::evaluate_op(node.op, inputs).at(0);
  }
}

}  // namespace halftone::lower
