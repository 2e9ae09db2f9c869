#include "halftone/ir/work.h"

#include <algorithm>
#include <ranges>

#include "halftone/base/error.h"
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

namespace {

// The batch of shapes that `inputs` and `outputs` give one after another.
template <typename Inputs, typename Outputs>
std::int64_t batch_of(const Inputs& inputs, const Outputs& outputs) {
  std::int64_t batch = 0;
  for (const Shape& shape : inputs) {
    if (shape.empty() || shape[0] == kDynamic) continue;
    if (shape[0] < 1 || (batch > 0 && shape[0] != batch)) return 1;
    batch = shape[0];
  }
  const auto has_rows = [&](const Shape& shape) { return !shape.empty() && (shape[0] == kDynamic || shape[0] == batch); };
  return batch > 0 && std::ranges::any_of(outputs, has_rows) ? batch : 1;
}

}  // namespace

std::int64_t fixed_batch(std::span<const Shape> inputs, std::span<const Shape> outputs) { return batch_of(inputs, outputs); }

std::int64_t fixed_batch(const Graph& graph) {
  const auto shape = [&](ValueId id) -> const Shape& { return graph.value(id).shape; };
  return batch_of(graph.inputs | std::views::transform(shape), graph.outputs | std::views::transform(shape));
}

Graph in_smallest_run(const Graph& graph) {
  try {
    return with_batch(graph, fixed_batch(graph));
  } catch (const InputError&) {
    return graph;
  }
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
  const Graph run = in_smallest_run(graph);
  const std::int64_t batch = fixed_batch(graph);
  std::vector<std::int64_t> all;
  for (const Node& node : run.nodes) {
    const bool two = node.inputs.size() > 1 && node.inputs[0] != kNoValue && node.inputs[1] != kNoValue;
    all.push_back(two ? multiply_adds(node.op, run.value(node.inputs[0]).shape, run.value(node.inputs[1]).shape,
                                      run.value(node.outputs[0]).shape) / batch
                      : 0);
  }
  return all;
}

}  // namespace halftone::ir
