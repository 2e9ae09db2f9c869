#include "halftone/quant/plan.h"

#include <fmt/format.h>

#include <type_traits>

namespace halftone::quant {
namespace {

struct Verdict {
  Role role = Role::floating;
  std::string reason;
};

bool is_float_constant(const ir::Graph& graph, ir::ValueId id) {
  const Tensor* constant = graph.constant(id);
  return constant != nullptr && constant->dtype() == DType::float32;
}

Verdict linear_verdict(const ir::Graph& graph, const ir::Node& node, bool conv) {
  if (graph.constant(node.inputs[0]) != nullptr) return {Role::floating, "its input is a constant"};
  if (!is_float_constant(graph, node.inputs[1])) return {Role::floating, "its weights are not constants"};
  if (!conv && graph.constant(node.inputs[1])->rank() != 2)
    return {Role::floating, "its weights are not a matrix"};
  if (node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue) {
    const Shape& y = graph.value(node.outputs[0]).shape;
    const std::int64_t channels = y.empty() ? 0 : conv ? y[1] : y.back();
    if (!is_float_constant(graph, node.inputs[2]) ||
        !ir::is_channel_bias(graph.constant(node.inputs[2])->shape(), channels))
      return {Role::floating, "its bias is not one constant a channel"};
  }
  if (const auto* gemm = std::get_if<ir::Gemm>(&node.op);
      gemm != nullptr && (gemm->trans_a || gemm->alpha != 1.0F || gemm->beta != 1.0F))
    return {Role::floating, "transA is set, or alpha or beta is not 1"};
  return {Role::linear, ""};
}

Verdict judge(const ir::Graph& graph, const ir::Node& node) {
  return std::visit(
      [&](const auto& op) -> Verdict {
        using T = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<T, ir::Conv>) {
          return linear_verdict(graph, node, true);
        } else if constexpr (std::is_same_v<T, ir::Gemm> || std::is_same_v<T, ir::MatMul>) {
          return linear_verdict(graph, node, false);
        } else if constexpr (std::is_same_v<T, ir::Add>) {
          const bool constant =
              graph.constant(node.inputs[0]) != nullptr || graph.constant(node.inputs[1]) != nullptr;
          return constant ? Verdict{Role::floating, "it adds a constant that is no bias"}
                          : Verdict{Role::compute, ""};
        } else if constexpr (std::is_same_v<T, ir::AveragePool> || std::is_same_v<T, ir::GlobalAveragePool>) {
          return {Role::compute, ""};
        } else if constexpr (std::is_same_v<T, ir::MaxPool> || std::is_same_v<T, ir::Flatten> ||
                             std::is_same_v<T, ir::Reshape> || std::is_same_v<T, ir::Identity>) {
          return {Role::move, ""};
        } else if constexpr (ir::Unary<T>) {
          return {Role::table, ""};
        } else if constexpr (std::is_same_v<T, ir::QuantizeLinear> ||
                             std::is_same_v<T, ir::DequantizeLinear>) {
          return {Role::floating, "the network is quantized already"};
        } else {
          return {Role::floating, fmt::format("{} has no integer form", T::kName)};
        }
      },
      node.op);
}

bool is_bound(const ir::Op& op) {
  return std::holds_alternative<ir::Relu>(op) || std::holds_alternative<ir::Clip>(op);
}

}  // namespace

Plan plan(const ir::Graph& graph) {
  Plan result;
  result.quantized.assign(graph.values.size(), false);
  for (std::size_t v = 0; v < graph.values.size(); ++v) result.like.push_back(static_cast<ir::ValueId>(v));
  const std::vector<int> uses = ir::use_counts(graph);
  const std::vector<int> producer = ir::producers(graph);
  const auto mark = [&](ir::ValueId id, bool value) {
    result.quantized[static_cast<std::size_t>(id)] = value;
  };
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& node = graph.nodes[n];
    Verdict verdict = judge(graph, node);
    const ir::ValueId x = node.inputs.empty() ? ir::kNoValue : node.inputs[0];
    const int before = x == ir::kNoValue ? -1 : producer[static_cast<std::size_t>(x)];
    if (verdict.role == Role::table && is_bound(node.op) && before >= 0 &&
        uses[static_cast<std::size_t>(x)] == 1) {
      const Role role = result.role[static_cast<std::size_t>(before)];
      if (role == Role::linear || role == Role::compute || role == Role::fused) verdict.role = Role::fused;
    }
    if (verdict.role == Role::move && before >= 0 &&
        result.role[static_cast<std::size_t>(before)] == Role::floating)
      verdict = {Role::floating, "its input is float"};
    result.role.push_back(verdict.role);
    result.reason.push_back(verdict.reason);
    if (verdict.role == Role::floating) continue;
    if (verdict.role == Role::fused) mark(x, false);
    mark(node.outputs[0], true);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool operand = i == 0 || (verdict.role == Role::compute && node.inputs[i] != ir::kNoValue);
      if (operand && verdict.role != Role::fused && graph.constant(node.inputs[i]) == nullptr)
        mark(node.inputs[i], true);
    }
    if (verdict.role == Role::move)
      result.like[static_cast<std::size_t>(node.outputs[0])] = result.like[static_cast<std::size_t>(x)];
  }
  return result;
}

}  // namespace halftone::quant
