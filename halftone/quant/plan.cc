#include "halftone/quant/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

#include "halftone/ir/moves.h"
#include "halftone/ir/one_variable.h"

namespace halftone::quant {
namespace {

struct Verdict {
  Role role = Role::floating;
  qgraph::FloatReason reason;
};

bool is_float_constant(const ir::Graph& graph, ir::ValueId id) {
  const Tensor* constant = graph.constant(id);
  return constant != nullptr && constant->dtype() == DType::float32;
}

Verdict linear_verdict(const ir::Graph& graph, const ir::Node& node, bool conv) {
  if (graph.constant(node.inputs[0]) != nullptr) return {Role::floating, "its input is a constant"};
  if (!is_float_constant(graph, node.inputs[1])) return {Role::floating, {"its weights are not constants", qgraph::FloatCause::not_constant}};
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

Verdict move_verdict(const ir::Graph& graph, const ir::Node& node) {
  if (node.inputs.size() > 1 && graph.constant(node.inputs[1]) == nullptr)
    return {Role::floating, "its places are computed"};
  return {Role::move, ""};
}

// Their result has elements of all operands.
template <typename T>
constexpr bool kJoins =
    std::is_same_v<T, ir::Concat> || std::is_same_v<T, ir::Min> || std::is_same_v<T, ir::Max>;

// Whether one operand is a constant that makes the node a function of one variable.
bool is_one_variable(const ir::Graph& graph, const ir::Node& node) {
  if (!ir::takes_constant(node.op) || node.inputs.size() != 2) return false;
  const Tensor* const inputs[] = {graph.constant(node.inputs[0]), graph.constant(node.inputs[1])};
  const Shape& x = graph.value(node.inputs[inputs[0] == nullptr ? 0 : 1]).shape;
  return ir::one_variable(node.op, inputs, x).has_value();
}

Verdict judge(const ir::Graph& graph, const ir::Node& node) {
  if (ir::only_moves(node.op)) return move_verdict(graph, node);
  if (is_one_variable(graph, node)) return {Role::table, ""};
  return std::visit(
      [&](const auto& op) -> Verdict {
        using T = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<T, ir::Conv> || std::is_same_v<T, ir::ConvTranspose>) {
          return linear_verdict(graph, node, true);
        } else if constexpr (std::is_same_v<T, ir::Gemm> || std::is_same_v<T, ir::MatMul>) {
          return linear_verdict(graph, node, false);
        } else if constexpr (std::is_same_v<T, ir::Add> || std::is_same_v<T, ir::Sub> ||
                             std::is_same_v<T, ir::Mul>) {
          const bool constant =
              graph.constant(node.inputs[0]) != nullptr || graph.constant(node.inputs[1]) != nullptr;
          return constant ? Verdict{Role::floating, "one operand is a constant, and not one number a channel"}
                          : Verdict{Role::compute, ""};
        } else if constexpr (std::is_same_v<T, ir::AveragePool> || std::is_same_v<T, ir::GlobalAveragePool>) {
          return {Role::compute, ""};
        } else if constexpr (std::is_same_v<T, ir::MaxPool>) {
          return op.with_indices ? Verdict{Role::floating, "its indices are read"} : Verdict{Role::move, ""};
        } else if constexpr (std::is_same_v<T, ir::Resize>) {
          return {Role::floating, "it interpolates"};
        } else if constexpr (std::is_same_v<T, ir::Pad>) {
          return op.mode == ir::PadMode::constant && !std::isfinite(static_cast<float>(op.value))
                     ? Verdict{Role::floating, "it pads with a value that is not finite"}
                     : Verdict{Role::move, ""};
        } else if constexpr (std::is_same_v<T, ir::GlobalMaxPool>) {
          return {Role::move, ""};
        } else if constexpr (kJoins<T>) {
          const bool constant =
              std::ranges::any_of(node.inputs, [&](ir::ValueId id) { return graph.constant(id) != nullptr; });
          if (!constant) return {Role::move, ""};
          return {Role::floating,
                  std::is_same_v<T, ir::Concat> ? "it joins a constant" : "one operand is a constant"};
        } else if constexpr (std::is_same_v<T, ir::PRelu>) {
          return {Role::floating, "its slopes are not one constant number, or one a channel"};
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

// Sets of values that share one scale.
class ScaleClasses {
 public:
  explicit ScaleClasses(std::size_t values) : parent_(values) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }
  ir::ValueId find(ir::ValueId id) {
    while (parent_[static_cast<std::size_t>(id)] != id) id = parent_[static_cast<std::size_t>(id)];
    return id;
  }
  void join(ir::ValueId a, ir::ValueId b) { parent_[static_cast<std::size_t>(find(b))] = find(a); }

 private:
  std::vector<ir::ValueId> parent_;
};

// Whether the ReLU or Clip ends the node before it, of which it is the only reader.
bool is_fused(const Plan& plan, const ir::Node& node, int before, int uses) {
  if (!is_bound(node.op) || before < 0 || uses != 1) return false;
  const Role role = plan.role[static_cast<std::size_t>(before)];
  return role == Role::linear || role == Role::compute || role == Role::fused;
}

// How many of a node's first inputs carry activations that are quantized.
std::size_t operands(const ir::Node& node, Role role) {
  if (role == Role::floating || role == Role::fused) return 0;
  const bool all = role == Role::compute || role == Role::table ||
                   std::visit([]<typename T>(const T&) { return kJoins<T>; }, node.op);
  return all ? node.inputs.size() : std::min<std::size_t>(1, node.inputs.size());
}

}  // namespace

Plan plan(const ir::Graph& graph) {
  Plan result;
  result.quantized.assign(graph.values.size(), false);
  ScaleClasses classes(graph.values.size());
  const std::vector<int> uses = ir::use_counts(graph);
  const std::vector<int> producer = ir::producers(graph);
  const auto mark = [&](ir::ValueId id, bool value) {
    result.quantized[static_cast<std::size_t>(id)] = value;
  };
  for (const ir::Node& node : graph.nodes) {
    Verdict verdict = judge(graph, node);
    if (graph.value(node.outputs[0]).dtype != DType::float32)
      verdict = {Role::floating, fmt::format("it computes {}", name_of(graph.value(node.outputs[0]).dtype))};
    const ir::ValueId x = node.inputs.empty() ? ir::kNoValue : node.inputs[0];
    const int before = x == ir::kNoValue ? -1 : producer[static_cast<std::size_t>(x)];
    if (verdict.role == Role::table && x != ir::kNoValue &&
        is_fused(result, node, before, uses[static_cast<std::size_t>(x)]))
      verdict.role = Role::fused;
    if (verdict.role == Role::move && before >= 0 &&
        result.role[static_cast<std::size_t>(before)] == Role::floating)
      verdict = {Role::floating, "its input is float"};
    result.role.push_back(verdict.role);
    result.reason.push_back(verdict.reason);
    if (verdict.role == Role::floating) continue;
    if (verdict.role == Role::fused) mark(x, false);
    mark(node.outputs[0], true);
    for (std::size_t i = 0; i < operands(node, verdict.role); ++i) {
      if (node.inputs[i] == ir::kNoValue || graph.constant(node.inputs[i]) != nullptr) continue;
      mark(node.inputs[i], true);
      if (verdict.role == Role::move) classes.join(node.inputs[i], node.outputs[0]);
    }
  }
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    result.scale_class.push_back(classes.find(static_cast<ir::ValueId>(v)));
  return result;
}

ir::Graph observed(const ir::Graph& graph) {
  const Plan decided = plan(graph);
  ir::Graph result = graph;
  result.outputs.clear();
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (decided.quantized[v]) result.outputs.push_back(static_cast<ir::ValueId>(v));
  return ir::without_dead_nodes(result);
}

}  // namespace halftone::quant
