#include <fmt/format.h>

#include <algorithm>

#include "halftone/ir/one_variable.h"
#include "halftone/lower/linear.h"
#include "halftone/lower/lowering.h"

namespace halftone::lower {

void Lowering::note_rounded_bias(const Pending& pending, const qgraph::Op& op) {
  std::optional<qgraph::RoundedBias> bias = rounded_bias(pending.fused, op);
  if (!bias) return;
  bias->computed = in_.value(pending.computed).name;
  out_.rounded_biases.push_back(std::move(*bias));
}

const ir::Node* Lowering::producer(ir::ValueId id) const {
  const int n = producers_[static_cast<std::size_t>(id)];
  return n < 0 ? nullptr : &in_.nodes[static_cast<std::size_t>(n)];
}

std::optional<ConstantOperand> Lowering::constant_operand(ir::ValueId id) const { return lower::constant_operand(in_, producer(id)); }

std::vector<std::int32_t> Lowering::codebook_of(ir::ValueId weights) const {
  const ir::Node* gather = producer(producer(weights)->inputs[0]);  // behind the Dequantize of constant weights
  if (gather == nullptr || as<ir::Gather>(*gather) == nullptr) return {};
  const Tensor* table = in_.constant(gather->inputs[0]);
  return table == nullptr || table->rank() != 1 ? std::vector<std::int32_t>{} : numeric::to_int32(*table);
}

std::optional<Tensor> Lowering::real_constant(ir::ValueId id) const {
  if (const auto operand = constant_operand(id)) return numeric::dequantize(operand->q, operand->params);
  if (const Tensor* constant = in_.constant(id)) return *constant;
  return std::nullopt;
}

bool Lowering::absorb_to_quantize(ir::ValueId id, FusedOp& fused, ir::ValueId& end) {
  std::vector<int> between;
  for (;;) {
    const auto& readers = consumers_[static_cast<std::size_t>(id)];
    if (readers.size() != 1 || uses_[static_cast<std::size_t>(id)] != 1) return false;
    const ir::Node& reader = in_.nodes[static_cast<std::size_t>(readers[0])];
    if (as<ir::QuantizeLinear>(reader) != nullptr && reader.inputs[0] == id) break;
    const auto* clip = as<ir::Clip>(reader);
    if (!takes_bounds(fused.op) || (clip == nullptr && as<ir::Relu>(reader) == nullptr)) return false;
    const ir::Clip next = clip != nullptr ? *clip : ir::Clip{.lo = 0.0F};
    fused.lo = std::min(std::max(fused.lo, next.lo), next.hi);
    fused.hi = std::min(std::max(fused.hi, next.lo), next.hi);
    between.push_back(readers[0]);
    id = reader.outputs[0];
  }
  for (int n : between) absorbed_[static_cast<std::size_t>(n)] = true;
  end = id;
  return true;
}

IntegerForm Lowering::form_of(const ir::Node& node, const FusedOp& fused) const {
  std::vector<Operand> operands;
  for (ir::ValueId id : node.inputs) {
    Operand& operand = operands.emplace_back(Operand{.is_absent = id == ir::kNoValue});
    if (operand.is_absent) continue;
    operand.shape = in_.value(id).shape;
    operand.is_constant = in_.constant(id) != nullptr || constant_operand(id);
    if (operand.is_constant && fused.constant) operand.real = &*fused.constant;
  }
  return integer_form(node.op, operands);
}

qgraph::FloatReason Lowering::why_not_moved(const ir::Node& node, std::size_t quantized) const {
  if (is_join(node.op) && quantized < node.inputs.size()) return {"an operand is not quantized", qgraph::FloatCause::not_quantized};
  if (is_join(node.op)) return {"its operands have scales of their own, and no Quantize behind says which counts", qgraph::FloatCause::not_quantized};
  return fmt::format("{} has no integer form with these shapes and scales", ir::name_of(node.op));
}

qgraph::FloatReason Lowering::try_fuse(const ir::Node& node) {
  FusedOp fused{.name = node.name, .op = node.op, .arithmetic = out_.arithmetic};
  std::vector<qgraph::ValueId> inputs;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ir::ValueId id = node.inputs[i];
    if (id == ir::kNoValue) continue;
    if (i > 0 && ir::is_linear(node.op) && (integer_of(id) || float_of(id)))
      return "its weights or bias are computed";
    if (integer_of(id)) {
      if (!out_.value(*integer_of(id)).grid) return "its input is integers without a scale";
      inputs.push_back(*integer_of(id));
      fused.x.push_back(grid_of(inputs.back()));
    } else if (ir::takes_constant(node.op)) {
      fused.constant = real_constant(id);
      fused.variable = i == 0 ? 1 : 0;
    } else if (i == 0) {
      return {"its input is not quantized", qgraph::FloatCause::not_quantized};
    } else if (i == 1) {
      fused.weights = constant_operand(id);
      if (fused.weights) fused.codebook = codebook_of(id);
    } else if (const Tensor* bias = in_.constant(id); bias != nullptr && bias->dtype() == DType::float32) {
      fused.real_bias = *bias;
    } else {
      fused.bias = constant_operand(id);
      if (!fused.bias) return "its bias is not a constant";
    }
  }
  if (inputs.empty()) return {"its input is not quantized", qgraph::FloatCause::not_quantized};
  fused.x_shape = out_.value(inputs[0]).shape;
  const IntegerForm form = form_of(node, fused);
  if (form.role == Role::floating) return form.reason;
  if (form.role == Role::move) return why_not_moved(node, inputs.size());
  qgraph::FloatReason reason = why_not_integer(fused);
  if (!reason.empty()) return reason;
  ir::ValueId end = node.outputs[0];
  if (!absorb_to_quantize(node.outputs[0], fused, end)) return {"its output is not quantized", qgraph::FloatCause::not_quantized};
  pending_.emplace(end, Pending{std::move(fused), std::move(inputs), node.outputs[0]});
  return "";
}

}  // namespace halftone::lower
