#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/lower/qoperators.h"

namespace halftone::lower {
namespace {

// Bits and sign of the integers that a Dequantize reads.
struct Held {
  int bits = 8;
  bool is_signed = true;
};

Held held_by(DType dtype) {
  const DType memory = memory_dtype(dtype);
  return {bits_of(dtype), memory == DType::int8 || memory == DType::int16 || memory == DType::int32};
}

ir::ValueId add_number(ir::Graph& graph, const std::string& name, float value) {
  return graph.add_constant(name, Tensor::from<float>({}, {&value, 1}));
}

// One number an index of `axis`, shaped to broadcast with a tensor of that rank.
Tensor along_axis(const Tensor& numbers, std::int64_t axis, std::size_t rank) {
  const Tensor real = numbers.cast(DType::float32);
  if (real.size() == 1) return real.reshaped({});
  Shape shape(rank, 1);
  shape[static_cast<std::size_t>(normalize_axis(axis, rank, "DequantizeLinear"))] = real.size();
  return real.reshaped(shape);
}

}  // namespace

ir::Graph with_quant_nodes(ir::Graph graph) {
  const std::vector<int> producers = ir::producers(graph);
  const std::size_t count = graph.nodes.size();
  for (std::size_t n = 0; n < count; ++n) {
    const ir::Node node = graph.nodes[n];
    const auto* dequantize = std::get_if<ir::DequantizeLinear>(&node.op);
    if (dequantize == nullptr) continue;
    const Tensor* q = graph.constant(node.inputs[0]);
    const Tensor* scale = graph.constant(node.inputs[1]);
    const bool has_zero = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
    const Tensor* zero = has_zero ? graph.constant(node.inputs[2]) : nullptr;
    const int producer = producers[static_cast<std::size_t>(node.inputs[0])];
    const bool pair = producer >= 0 && std::holds_alternative<ir::QuantizeLinear>(
                                           graph.nodes[static_cast<std::size_t>(producer)].op);
    if ((q == nullptr && !pair) || scale == nullptr || (has_zero && zero == nullptr) ||
        dequantize->block_size != 0)
      throw UnsupportedError(ir::describe(graph, node),
                             "has no form as a Quant node", Remedy::write_pairs);
    const std::size_t rank = graph.value(node.inputs[0]).shape.size();
    Held held = held_by(graph.value(node.inputs[0]).dtype);
    const std::string name = graph.value(node.outputs[0]).name;
    ir::ValueId x = ir::kNoValue;
    if (pair) {
      const ir::Node& before = graph.nodes[static_cast<std::size_t>(producer)];
      const auto& quantize = std::get<ir::QuantizeLinear>(before.op);
      x = before.inputs[0];
      if (quantize.bits != 0) held.bits = quantize.bits;
      const numeric::Rounding rounding = quantize.rounding;
      if (rounding != numeric::Rounding::half_even)
        throw UnsupportedError(ir::describe(graph, before),
                               fmt::format("rounding {} in a Quant node, expected half_even", numeric::name_of(rounding)),
                               Remedy::write_pairs);
    }
    if (q != nullptr) {
      std::vector<const Tensor*> inputs{q, scale};
      if (zero != nullptr) inputs.push_back(zero);
      x = graph.add_constant(name + "_real", ir::evaluate(*dequantize, inputs)[0]);
    }
    const Tensor s = along_axis(*scale, dequantize->axis, rank);
    const Tensor z = zero == nullptr ? Tensor(DType::float32, {}) : along_axis(*zero, dequantize->axis, rank);
    const ir::ValueId s_id = graph.add_constant(name + "_s", s);
    const ir::ValueId z_id = graph.add_constant(name + "_z", z);
    const ir::ValueId bits = add_number(graph, name + "_bits", static_cast<float>(held.bits));
    graph.nodes[n] = {node.name, ir::Quant{.is_signed = held.is_signed}, {x, s_id, z_id, bits}, node.outputs};
  }
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::lower
