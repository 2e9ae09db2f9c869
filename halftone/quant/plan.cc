#include "halftone/quant/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace halftone::quant {
namespace {

lower::Operand operand_of(const ir::Graph& graph, ir::ValueId id) {
  if (id == ir::kNoValue) return {.is_absent = true};
  const Tensor* constant = graph.constant(id);
  const bool real = constant != nullptr && constant->dtype() == DType::float32;
  return {.shape = graph.value(id).shape, .is_constant = constant != nullptr, .real = real ? constant : nullptr};
}

lower::IntegerForm form_of(const ir::Graph& graph, const ir::Node& node) {
  const DType computed = graph.value(node.outputs[0]).dtype;
  if (computed != DType::float32) return {Role::floating, fmt::format("it computes {}", name_of(computed))};
  std::vector<lower::Operand> operands;
  for (ir::ValueId id : node.inputs) operands.push_back(operand_of(graph, id));
  return lower::integer_form(node.op, operands);
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
                   lower::is_join(node.op);
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
    lower::IntegerForm form = form_of(graph, node);
    const ir::ValueId x = node.inputs.empty() ? ir::kNoValue : node.inputs[0];
    const int before = x == ir::kNoValue ? -1 : producer[static_cast<std::size_t>(x)];
    if (form.role == Role::table && x != ir::kNoValue &&
        is_fused(result, node, before, uses[static_cast<std::size_t>(x)]))
      form.role = Role::fused;
    if (form.role == Role::move && before >= 0 &&
        result.role[static_cast<std::size_t>(before)] == Role::floating)
      form = {Role::floating, "its input is float"};
    result.role.push_back(form.role);
    result.reason.push_back(form.reason);
    if (form.role == Role::floating) continue;
    if (form.role == Role::fused) mark(x, false);
    mark(node.outputs[0], true);
    for (std::size_t i = 0; i < operands(node, form.role); ++i) {
      if (node.inputs[i] == ir::kNoValue || graph.constant(node.inputs[i]) != nullptr) continue;
      mark(node.inputs[i], true);
      if (form.role == Role::move) classes.join(node.inputs[i], node.outputs[0]);
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
