#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"
#include "halftone/passes/pass.h"

namespace halftone::passes {
namespace {

bool is_other_float(DType dtype) { return is_float(dtype) && dtype != DType::float32; }

// To the nearest float32. The largest double stands for "no bound" and stays the largest; another beyond float32
// would become infinite.
Tensor widened(const Tensor& tensor, std::string_view what) {
  Tensor result = tensor.cast(DType::float32);
  if (tensor.dtype() != DType::float64) return result;
  const auto from = tensor.data<double>();
  const auto to = result.mutable_data<float>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!std::isfinite(from[i]) || std::isfinite(to[i])) continue;
    if (std::fabs(from[i]) != std::numeric_limits<double>::max())
      throw InputError(what, fmt::format("element {}, got {}, expected a number that float32 holds", i, from[i]));
    to[i] = std::copysign(std::numeric_limits<float>::max(), to[i]);
  }
  return result;
}

// The types and numbers that an op holds itself.
void widen(ir::Op& op, const std::string& what) {
  if (auto* cast = std::get_if<ir::Cast>(&op); cast != nullptr && is_other_float(cast->to)) cast->to = DType::float32;
  if (auto* fill = std::get_if<ir::ConstantOfShape>(&op); fill != nullptr && is_other_float(fill->value.dtype()))
    fill->value = widened(fill->value, what);
}

// Casts to the type that is now there are no work: the node before one that gives an output gives it itself, under its
// name. remove_identity takes the others.
ir::Graph without_casts_at_the_end(ir::Graph graph) {
  const std::vector<int> producer = ir::producers(graph);
  const auto is_output = [&](ir::ValueId id) { return std::ranges::count(graph.outputs, id) > 0; };
  for (ir::Node& node : graph.nodes) {
    if (!std::holds_alternative<ir::Cast>(node.op)) continue;
    const ir::ValueId x = node.inputs[0];
    const ir::ValueId y = node.outputs[0];
    const int before = producer[static_cast<std::size_t>(x)];
    if (before < 0 || !is_output(y) || is_output(x) || graph.value(x).dtype != graph.value(y).dtype) continue;
    node.outputs = {x};  // dead now, and read by nothing
    std::ranges::replace(graph.nodes[static_cast<std::size_t>(before)].outputs, x, y);
    for (ir::Node& reader : graph.nodes) std::ranges::replace(reader.inputs, x, y);
  }
  return ir::without_dead_nodes(graph);
}

}  // namespace

ir::Graph widen_floats(ir::Graph graph) {
  if (std::ranges::none_of(graph.values, [](const ir::Value& value) { return is_other_float(value.dtype); }))
    return graph;
  for (ir::Value& value : graph.values) {
    if (!is_other_float(value.dtype)) continue;
    value.dtype = DType::float32;
    if (value.constant) value.constant = widened(*value.constant, fmt::format("constant '{}'", value.name));
  }
  for (ir::Node& node : graph.nodes) widen(node.op, ir::describe(graph, node));
  ir::infer_shapes(graph);
  return without_casts_at_the_end(std::move(graph));
}

}  // namespace halftone::passes
