#include "halftone/quant/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace halftone::quant {
namespace {

using qgraph::FloatCause;

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

// The roles of all nodes, and why some stay float.
class Roles {
 public:
  Roles(const ir::Graph& graph, const std::vector<bool>& kept)
      : graph_(graph), kept_(kept), uses_(ir::use_counts(graph)), producer_(ir::producers(graph)) {}

  Plan decide() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      lower::IntegerForm form = form_at(n);
      plan_.role.push_back(form.role);
      plan_.reason.push_back(std::move(form.reason));
    }
    if (!kept_.empty()) leave_moves_of_inputs();
    return std::move(plan_);
  }

 private:
  int before(const ir::Node& node) const {
    return node.inputs.empty() || node.inputs[0] == ir::kNoValue ? -1 : producer_[static_cast<std::size_t>(node.inputs[0])];
  }
  bool is_kept(int n) const { return n >= 0 && plan_.reason[static_cast<std::size_t>(n)].cause == FloatCause::kept; }

  lower::IntegerForm form_at(std::size_t n) const {
    const ir::Node& node = graph_.nodes[n];
    if (!kept_.empty() && kept_[n]) return {Role::floating, {"a rule keeps it float", FloatCause::kept}};
    lower::IntegerForm form = form_of(graph_, node);
    const int first = before(node);
    if (form.role == Role::table && first >= 0 && is_fused(plan_, node, first, uses_[static_cast<std::size_t>(node.inputs[0])]))
      form.role = Role::fused;
    if (form.role == Role::move && first >= 0 && plan_.role[static_cast<std::size_t>(first)] == Role::floating)
      return {Role::floating, {"its input is float", is_kept(first) ? FloatCause::kept : FloatCause::no_form}};
    return form;
  }

  // Moves of the network's inputs that nothing in integers reads.
  void leave_moves_of_inputs() {
    std::vector<bool> from_inputs(graph_.nodes.size(), false);
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n)
      from_inputs[n] = plan_.role[n] == Role::move && std::ranges::all_of(graph_.nodes[n].inputs, [&](ir::ValueId id) {
                         const int p = id == ir::kNoValue ? -1 : producer_[static_cast<std::size_t>(id)];
                         return p < 0 || plan_.role[static_cast<std::size_t>(p)] == Role::floating || from_inputs[static_cast<std::size_t>(p)];
                       });
    std::vector<bool> read(graph_.values.size(), false);  // by nodes in integers
    for (ir::ValueId id : graph_.outputs) read[static_cast<std::size_t>(id)] = true;
    for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
      const ir::Node& node = graph_.nodes[n];
      if (from_inputs[n] && !read[static_cast<std::size_t>(node.outputs[0])]) {
        plan_.role[n] = Role::floating;
        plan_.reason[n] = {"it moves inputs to layers that a rule keeps float", FloatCause::kept};
      }
      if (plan_.role[n] == Role::floating) continue;
      for (ir::ValueId id : node.inputs)
        if (id != ir::kNoValue) read[static_cast<std::size_t>(id)] = true;
    }
  }

  const ir::Graph& graph_;
  const std::vector<bool>& kept_;
  const std::vector<int> uses_;
  const std::vector<int> producer_;
  Plan plan_;
};

}  // namespace

Plan plan(const ir::Graph& graph, const std::vector<bool>& kept) {
  Plan result = Roles(graph, kept).decide();
  result.quantized.assign(graph.values.size(), false);
  ScaleClasses classes(graph.values.size());
  const auto mark = [&](ir::ValueId id, bool value) {
    result.quantized[static_cast<std::size_t>(id)] = value;
  };
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& node = graph.nodes[n];
    const Role role = result.role[n];
    if (role == Role::floating) continue;
    if (role == Role::fused) mark(node.inputs[0], false);
    mark(node.outputs[0], true);
    for (std::size_t i = 0; i < operands(node, role); ++i) {
      if (node.inputs[i] == ir::kNoValue || graph.constant(node.inputs[i]) != nullptr) continue;
      mark(node.inputs[i], true);
      if (role == Role::move) classes.join(node.inputs[i], node.outputs[0]);
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
