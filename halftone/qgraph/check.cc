#include "halftone/qgraph/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "halftone/base/error.h"

namespace halftone::qgraph {
namespace {

// The fault of an op that has these operands and this result, or "".
class Fault {
 public:
  Fault(std::vector<const Value*> inputs, std::vector<const Value*> outputs)
      : in_(std::move(inputs)), out_(std::move(outputs)), y_(*out_.at(0)) {}

  std::string operator()(const Quantize&) const { return arity(1, !is_integer(*in_[0]) && is_integer(y_)); }
  std::string operator()(const Dequantize&) const { return arity(1, !is_integer(y_)); }
  std::string operator()(const Gemm& op) const { return first(integers(1), linear(op.linear)); }
  std::string operator()(const Conv& op) const {
    if (op.groups < 1 || op.linear.channels % op.groups != 0) return fmt::format("{} channels in {} groups", op.linear.channels, op.groups);
    return first(integers(1), linear(op.linear));
  }
  std::string operator()(const Table& op) const {
    const std::string fault = integers(1);
    if (!fault.empty()) return fault;
    const std::int64_t integers = std::int64_t{in_[0]->grid->format.qmax()} - op.x_qmin + 1;
    if (op.x_qmin > in_[0]->grid->format.qmin()) return "a table that begins above the least integer";
    return sizes("entries", op.entries.size(), static_cast<std::size_t>(op.channels * integers));
  }
  std::string operator()(const MaxPool&) const { return integers(1); }
  std::string operator()(const AveragePool& op) const { return first(integers(1), entries(op.requantizer, op.counts.size())); }
  std::string operator()(const Add& op) const { return first(integers(2), entries(op.requantizer, 1)); }
  std::string operator()(const Mul& op) const { return first(integers(2), entries(op.requantizer, 1)); }
  std::string operator()(const Requantize& op) const { return first(integers(1), entries(op.requantizer, 1)); }
  std::string operator()(const Move& op) const { return first(integers(1), axes(op)); }
  std::string operator()(const Concat& op) const {
    if (op.axis >= y_.shape.size()) return fmt::format("joins along dimension {} of {}", op.axis, y_.shape.size());
    return integers(in_.size());
  }
  std::string operator()(const Extreme&) const { return integers(in_.size()); }
  std::string operator()(const Pad& op) const {
    return first(integers(1), first(sizes("pads", op.before.size(), y_.shape.size()), sizes("pads", op.after.size(), y_.shape.size())));
  }
  std::string operator()(const Constant&) const { return in_.empty() ? "" : "a constant with inputs"; }
  std::string operator()(const Island& op) const {
    if (op.reasons.size() != op.graph.nodes.size()) return "not a reason a node";
    return first(names(op.graph, op.graph.inputs, in_), names(op.graph, op.graph.outputs, out_));
  }

 private:
  static bool is_integer(const Value& value) { return value.grid.has_value(); }
  static std::string first(std::string a, std::string b) { return a.empty() ? std::move(b) : std::move(a); }
  static std::string sizes(std::string_view what, std::size_t got, std::size_t expected) {
    return got == expected ? "" : fmt::format("{} {}, expected {}", got, what, expected);
  }
  std::string arity(std::size_t count, bool types_fit) const {
    if (in_.size() != count || in_.empty()) return fmt::format("{} inputs, expected {}", in_.size(), std::max<std::size_t>(count, 1));
    return types_fit ? "" : "integers and floats where it has none";
  }
  std::string integers(std::size_t count) const {
    const auto has_scale = [](const Value* value) { return is_integer(*value); };
    return arity(count, is_integer(y_) && std::ranges::all_of(in_, has_scale));
  }
  static std::string entries(const Requantizer& r, std::size_t count) {
    if (const auto* multiply = std::get_if<MultiplyShift>(&r.scaling))
      return first(sizes("multipliers", multiply->m.size(), multiply->shift.size()), one_or(multiply->m.size(), count));
    if (const auto* shift = std::get_if<Shift>(&r.scaling)) return one_or(shift->shift.size(), count);
    return "";  // mode onnx: an Add and a pool that does not cover its input have none
  }
  static std::string one_or(std::size_t got, std::size_t count) { return got == 1 ? "" : sizes("scalings", got, count); }
  static bool are_places(const Tensor& q, std::size_t size) {
    return std::ranges::all_of(numeric::to_int32(q), [&](std::int32_t place) { return place >= 0 && static_cast<std::size_t>(place) < size; });
  }
  static std::string linear(const Linear& l) {
    const auto channels = static_cast<std::size_t>(l.channels);
    if (l.q_w.size() != l.channels * l.reduction) return fmt::format("{} weights, expected {}x{}", l.q_w.size(), l.channels, l.reduction);
    if (!l.codebook.empty() && !are_places(l.q_w, l.codebook.size())) return fmt::format("a place outside of a table of {}", l.codebook.size());
    const std::int64_t blocks = l.group_size > 0 ? (l.reduction + l.group_size - 1) / l.group_size : 0;
    const std::string counts = first(first(sizes("biases", l.bias.size(), channels), sizes("bounds", l.bound.size(), channels)),
                                     sizes("multipliers of groups", l.group_m.size(), static_cast<std::size_t>(l.channels * blocks)));
    if (const auto* real = std::get_if<Float32>(&l.requantizer.scaling)) return first(counts, one_or(real->M.size(), channels));
    return first(counts, entries(l.requantizer, channels));
  }
  std::string axes(const Move& op) const {
    std::unordered_set<std::size_t> seen;
    const std::size_t rank = op.view.empty() ? in_[0]->shape.size() : op.view.size();
    for (const MovedAxis& axis : op.axes)
      if (axis.source >= rank || !seen.insert(axis.source).second) return fmt::format("reads dimension {} of {}", axis.source, rank);
    return op.axes.empty() ? "" : sizes("axes", op.axes.size(), rank);
  }

  static std::string names(const ir::Graph& island, const std::vector<ir::ValueId>& ids, const std::vector<const Value*>& values) {
    if (ids.size() != values.size()) return fmt::format("{} values of an island, expected {}", values.size(), ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (island.value(ids[i]).name != values[i]->name)
        return fmt::format("'{}' in an island is '{}' outside", island.value(ids[i]).name, values[i]->name);
    return "";
  }

  std::vector<const Value*> in_;
  std::vector<const Value*> out_;
  const Value& y_;
};

[[noreturn]] void fail(const Node& node, std::string_view fault) {
  throw InputError(fmt::format("{} '{}'", name_of(node.op), node.name), fault);
}

void check_names(const QuantizedGraph& graph) {
  std::unordered_set<std::string> names;
  for (const Value& value : graph.values)
    if (!names.insert(value.name).second) throw InputError("graph", fmt::format("two values named '{}'", value.name));
}

}  // namespace

void check(const QuantizedGraph& graph) {
  check_names(graph);
  std::vector<bool> known(graph.values.size(), false);
  const auto is_known = [&](ValueId id) { return id >= 0 && static_cast<std::size_t>(id) < known.size() && known[static_cast<std::size_t>(id)]; };
  const auto expect_value = [&](ValueId id) {
    if (id < 0 || static_cast<std::size_t>(id) >= known.size()) throw InputError("graph", fmt::format("value {} of {}", id, known.size()));
  };
  for (ValueId id : graph.inputs) {
    expect_value(id);
    known[static_cast<std::size_t>(id)] = true;
  }
  for (const Node& node : graph.nodes) {
    if (node.outputs.empty()) fail(node, "no output");
    if (!std::ranges::all_of(node.inputs, is_known)) fail(node, "reads a value that no node before it gives");
    std::vector<const Value*> inputs;
    for (ValueId id : node.inputs) inputs.push_back(&graph.value(id));
    std::vector<const Value*> outputs;
    for (ValueId id : node.outputs) {
      expect_value(id);
      outputs.push_back(&graph.value(id));
    }
    const std::string fault = std::visit(Fault(std::move(inputs), std::move(outputs)), node.op);
    if (!fault.empty()) fail(node, fault);
    for (ValueId id : node.outputs) {
      if (is_known(id)) fail(node, fmt::format("gives '{}', which has another producer", graph.value(id).name));
      known[static_cast<std::size_t>(id)] = true;
    }
  }
  if (!std::ranges::all_of(graph.outputs, is_known)) throw InputError("graph", "an output that nothing computes");
}

}  // namespace halftone::qgraph
