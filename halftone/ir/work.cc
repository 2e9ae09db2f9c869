#include "halftone/ir/work.h"

#include <algorithm>

#include "halftone/ir/infer.h"

namespace halftone::ir {
namespace {

std::int64_t elements(const Shape& shape) {
  std::int64_t count = 1;
  for (std::int64_t dim : shape) count *= dim == kDynamic ? 1 : dim;
  return count;
}

}  // namespace

Graph with_batch(Graph graph, std::int64_t n) {
  for (ValueId input : graph.inputs)
    if (Shape& shape = graph.value(input).shape; !shape.empty() && shape[0] == kDynamic) shape[0] = n;
  infer_shapes(graph);
  return graph;
}

std::int64_t fixed_batch(std::span<const Shape> inputs) {
  if (inputs.empty() || inputs[0].empty() || inputs[0][0] < 1) return 1;
  const auto same = [&](const Shape& shape) { return !shape.empty() && shape[0] == inputs[0][0]; };
  return std::ranges::all_of(inputs, same) ? inputs[0][0] : 1;
}

std::int64_t multiply_adds(const Op& op, const Shape& x, const Shape& w, const Shape& y) {
  if (std::holds_alternative<Conv>(op) || std::holds_alternative<ConvInteger>(op))
    return elements(y) * elements(w) / std::max<std::int64_t>(w.at(0), 1);
  if (std::holds_alternative<ConvTranspose>(op)) return elements(x) * elements(w) / std::max<std::int64_t>(w.at(0), 1);
  if (const auto* gemm = std::get_if<Gemm>(&op)) return elements(y) * elements({x.at(gemm->trans_a ? 0 : 1)});
  if (std::holds_alternative<MatMul>(op) || std::holds_alternative<MatMulInteger>(op)) return elements(y) * elements({x.back()});
  return 0;
}

std::int64_t packed_bytes(const Value& constant) { return (constant.constant->size() * bits_of(constant.dtype) + 7) / 8; }

std::int64_t parameter_bytes(const Graph& graph) {
  std::int64_t bytes = 0;
  for (const Value& value : graph.values)
    if (value.constant) bytes += packed_bytes(value);
  return bytes;
}

std::vector<std::int64_t> multiply_adds(const Graph& graph) {
  const Graph one = with_batch(graph, 1);
  std::vector<Shape> inputs;
  for (ValueId id : graph.inputs) inputs.push_back(graph.value(id).shape);
  const std::int64_t batch = fixed_batch(inputs);
  std::vector<std::int64_t> all;
  for (const Node& node : one.nodes) {
    const bool two = node.inputs.size() > 1 && node.inputs[0] != kNoValue && node.inputs[1] != kNoValue;
    all.push_back(two ? multiply_adds(node.op, one.value(node.inputs[0]).shape, one.value(node.inputs[1]).shape,
                                      one.value(node.outputs[0]).shape) / batch
                      : 0);
  }
  return all;
}

}  // namespace halftone::ir
