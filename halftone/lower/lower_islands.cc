#include "halftone/lower/lowering.h"

namespace halftone::lower {

qgraph::ValueId Lowering::operand_of(ir::ValueId id) {
  if (!is_float(in_.value(id).dtype) && integer_of(id) && !float_of(id)) return *integer_of(id);
  return float_value(id);
}

void Lowering::add_island(const ir::Node& node, const qgraph::FloatReason& reason) {
  qgraph::Island island{.graph = {}, .reasons = {reason}};
  qgraph::Node added{.name = node.name, .op = {}, .inputs = {}, .outputs = {}};
  ir::Node own{node.name, node.op, {}, {}};
  Operands known;
  for (ir::ValueId id : node.inputs) own.inputs.push_back(add_operand(id, island.graph, added.inputs, known));
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const ir::ValueId id = node.outputs[i];
    const ir::Value& output = in_.value(id);
    const bool read = i == 0 || uses_[static_cast<std::size_t>(id)] > 0;
    const std::string name = read ? unique(output.name) : output.name;
    own.outputs.push_back(island.graph.add_value(name, output.dtype, output.shape));
    if (!read) continue;
    island.graph.outputs.push_back(own.outputs.back());
    out_.values.push_back({name, output.shape, output.dtype, std::nullopt});
    added.outputs.push_back(static_cast<qgraph::ValueId>(out_.values.size()) - 1);
    float_of(id) = added.outputs.back();
  }
  island.graph.nodes.push_back(std::move(own));
  added.op = std::move(island);
  out_.nodes.push_back(std::move(added));
}

ir::ValueId Lowering::add_operand(ir::ValueId id, ir::Graph& island, std::vector<qgraph::ValueId>& inputs, Operands& known) {
  if (id == ir::kNoValue) return ir::kNoValue;
  if (const auto found = known.constants.find(id); found != known.constants.end()) return found->second;
  if (std::optional<Tensor> fixed = real_constant(id))
    return known.constants[id] = island.add_constant(in_.value(id).name, std::move(*fixed));
  const qgraph::ValueId operand = operand_of(id);
  if (const auto found = known.inputs.find(operand); found != known.inputs.end()) return found->second;
  inputs.push_back(operand);
  const qgraph::Value& value = out_.value(operand);
  return known.inputs[operand] = island.add_input(value.name, value.dtype, value.shape);
}

}  // namespace halftone::lower
