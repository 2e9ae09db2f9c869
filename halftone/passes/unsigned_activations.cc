#include <algorithm>

#include "halftone/passes/pass.h"

namespace halftone::passes {
namespace {

bool is_signed_integer(DType dtype) { return dtype == DType::int8 || dtype == DType::int4 || dtype == DType::int2; }

DType unsigned_of(DType dtype) {
  if (dtype == DType::int4) return DType::uint4;
  return dtype == DType::int2 ? DType::uint2 : DType::uint8;
}

// Half of the integers that the node gives: what a zero point moves by.
int offset_of(const ir::QuantizeLinear& op, DType dtype) { return 1 << ((op.bits == 0 ? bits_of(dtype) : op.bits) - 1); }

class Rewriter {
 public:
  explicit Rewriter(ir::Graph graph) : graph_(std::move(graph)), consumers_(ir::consumers(graph_)) {}

  ir::Graph run() {
    for (ir::Node& node : graph_.nodes) {
      auto* quantize = std::get_if<ir::QuantizeLinear>(&node.op);
      if (quantize == nullptr || !is_signed_integer(graph_.value(node.outputs[0]).dtype) || !may_change(node)) continue;
      const DType to = unsigned_of(graph_.value(node.outputs[0]).dtype);
      const int offset = offset_of(*quantize, graph_.value(node.outputs[0]).dtype);
      for (int reader : readers(node.outputs[0])) move_zero_point(graph_.nodes[static_cast<std::size_t>(reader)], to, offset);
      move_zero_point(node, to, offset);
      quantize->to = to;
      graph_.value(node.outputs[0]).dtype = to;
    }
    return ir::without_dead_nodes(graph_);
  }

 private:
  const std::vector<int>& readers(ir::ValueId id) const { return consumers_[static_cast<std::size_t>(id)]; }

  static bool has_zero_point(const ir::Node& node) { return node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue; }
  bool has_constants(const ir::Node& node) const {
    return graph_.constant(node.inputs[1]) != nullptr && (!has_zero_point(node) || graph_.constant(node.inputs[2]) != nullptr);
  }

  // Whether the integers are the node's and its Dequantizes' own affair.
  bool may_change(const ir::Node& node) const {
    if (!has_constants(node) || std::ranges::find(graph_.outputs, node.outputs[0]) != graph_.outputs.end()) return false;
    return std::ranges::all_of(readers(node.outputs[0]), [&](int n) {
      const ir::Node& reader = graph_.nodes[static_cast<std::size_t>(n)];
      return std::holds_alternative<ir::DequantizeLinear>(reader.op) && has_constants(reader);
    });
  }

  // A zero point that is absent is 0, in the shape of the scale.
  void move_zero_point(ir::Node& node, DType to, int offset) {
    const bool given = has_zero_point(node);
    const Tensor* before = graph_.constant(node.inputs[given ? 2 : 1]);
    Tensor moved(to, before->shape());
    std::span<std::uint8_t> zero = moved.mutable_data<std::uint8_t>();
    for (std::size_t i = 0; i < zero.size(); ++i) zero[i] = static_cast<std::uint8_t>((given ? before->data<std::int8_t>()[i] : 0) + offset);
    const std::string name = given ? graph_.value(node.inputs[2]).name : graph_.value(node.outputs[0]).name + "_zero_point";
    node.inputs.resize(3, ir::kNoValue);
    node.inputs[2] = graph_.add_constant(name, std::move(moved));
  }

  ir::Graph graph_;
  std::vector<std::vector<int>> consumers_;
};

}  // namespace

ir::Graph unsigned_activations(ir::Graph graph) { return Rewriter(std::move(graph)).run(); }

}  // namespace halftone::passes
