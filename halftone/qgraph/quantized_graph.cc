#include "halftone/qgraph/quantized_graph.h"

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"
#include "halftone/ir/work.h"
#include "halftone/qgraph/moves.h"

namespace halftone::qgraph {
namespace {

std::int64_t elements(const Shape& shape) {
  std::int64_t count = 1;
  for (std::int64_t dim : shape) count *= dim == kDynamic ? 1 : dim;
  return count;
}

// The types of all values of an island, for inputs of known shapes; as declared behind a node that cannot run in that size.
std::vector<ir::TensorType> types_in(const ir::Graph& island, const std::vector<Shape>& inputs) {
  std::vector<ir::TensorType> types;
  for (const ir::Value& value : island.values) types.push_back({value.dtype, value.shape, value.constant ? &*value.constant : nullptr});
  for (std::size_t i = 0; i < inputs.size(); ++i) types.at(static_cast<std::size_t>(island.inputs.at(i))).shape = inputs[i];
  const ir::TensorType absent;
  for (const ir::Node& node : island.nodes) {
    std::vector<const ir::TensorType*> operands;
    for (ir::ValueId id : node.inputs) operands.push_back(id == ir::kNoValue ? &absent : &types[static_cast<std::size_t>(id)]);
    try {
      const std::vector<ir::TensorType> results = ir::infer_op(node.op, operands);
      for (std::size_t i = 0; i < node.outputs.size(); ++i) types[static_cast<std::size_t>(node.outputs[i])] = results.at(i);
    } catch (const InputError&) {
      continue;
    }
  }
  return types;
}

// The shape of a node's output for inputs of known shapes. Windows keep the first dimension of what they take.
struct ShapeInRun {
  const Shape& declared;
  std::vector<Shape> inputs;

  template <typename Op>
  Shape operator()(const Op&) const {
    Shape shape = declared;
    shape.at(0) = inputs.at(0).at(0);
    return shape;
  }
  Shape operator()(const Add&) const { return ir::broadcast_shape(inputs.at(0), inputs.at(1)); }
  Shape operator()(const Mul&) const { return ir::broadcast_shape(inputs.at(0), inputs.at(1)); }
  Shape operator()(const Table&) const { return inputs.at(0); }
  Shape operator()(const Requantize&) const { return inputs.at(0); }
  Shape operator()(const Gemm& op) const {
    Shape shape = inputs.at(0);
    shape.back() = op.linear.channels;
    return shape;
  }
  Shape operator()(const Quantize&) const { return inputs.at(0); }
  Shape operator()(const Dequantize&) const { return inputs.at(0); }
  Shape operator()(const Move& op) const { return shape_of(op, inputs.at(0), declared); }
  Shape operator()(const Pad& op) const { return shape_of(op, inputs.at(0)); }
  Shape operator()(const Concat& op) const { return shape_of(op, inputs); }
  Shape operator()(const Extreme& op) const { return shape_of(op, inputs); }
  Shape operator()(const Constant& op) const { return op.tensor.shape(); }
  Shape operator()(const Island&) const { return declared; }
};

// Shapes of a node's outputs; as declared where the node cannot run in that size.
std::vector<Shape> shapes_of(const QuantizedGraph& graph, const std::vector<Shape>& shapes, const Node& node) {
  std::vector<Shape> declared;
  for (ValueId id : node.outputs) declared.push_back(graph.value(id).shape);
  if (std::ranges::all_of(declared, is_static)) return declared;
  std::vector<Shape> inputs;
  for (ValueId id : node.inputs) inputs.push_back(shapes.at(static_cast<std::size_t>(id)));
  try {
    const auto* island = std::get_if<Island>(&node.op);
    if (island == nullptr) return {std::visit(ShapeInRun{declared[0], inputs}, node.op)};
    const std::vector<ir::TensorType> types = types_in(island->graph, inputs);
    std::vector<Shape> results;
    for (ir::ValueId id : island->graph.outputs) results.push_back(types.at(static_cast<std::size_t>(id)).shape);
    return results;
  } catch (const InputError&) {
    return declared;
  }
}

// A transposed convolution multiplies each element of x by a window of weights, any other each window of x by the weights.
std::int64_t multiply_adds(const Conv& conv, const Shape& x, const Shape& y) {
  const std::int64_t window = conv.axes[0].kernel * conv.axes[1].kernel;
  if (conv.transposed) return elements(x) * conv.linear.channels / conv.groups * window;
  return elements(y) * conv.linear.reduction;
}

// In a run whose values have these shapes.
std::int64_t multiply_adds(const Node& node, const std::vector<Shape>& shapes) {
  const auto shape = [&](ValueId id) -> const Shape& { return shapes.at(static_cast<std::size_t>(id)); };
  if (const auto* gemm = std::get_if<Gemm>(&node.op)) return elements(shape(node.output())) * gemm->linear.reduction;
  if (const auto* conv = std::get_if<Conv>(&node.op)) return multiply_adds(*conv, shape(node.inputs.at(0)), shape(node.output()));
  return 0;
}

bool computes_integers(const ir::Op& op) {
  return std::holds_alternative<ir::ConvInteger>(op) || std::holds_alternative<ir::MatMulInteger>(op);
}

void add_island(Work& work, const ir::Graph& island, const std::vector<Shape>& inputs, std::int64_t batch) {
  std::vector<Shape> shapes;
  for (const ir::TensorType& type : types_in(island, inputs)) shapes.push_back(type.shape);
  const auto shape = [&](ir::ValueId id) -> const Shape& { return shapes.at(static_cast<std::size_t>(id)); };
  for (const ir::Node& node : island.nodes) {
    const bool integers = computes_integers(node.op);
    ++(integers ? work.integer_nodes : work.float_nodes);
    if (node.inputs.size() > 1 && node.inputs[0] != ir::kNoValue && node.inputs[1] != ir::kNoValue)
      (integers ? work.integer_macs : work.float_macs) +=
          ir::multiply_adds(node.op, shape(node.inputs[0]), shape(node.inputs[1]), shape(node.outputs[0])) / batch;
  }
}

}  // namespace

bool QuantizedGraph::integer_only() const {
  const auto inner = [&](const Node& node) {
    if (std::holds_alternative<Island>(node.op)) return true;
    return std::holds_alternative<Quantize>(node.op) &&
           std::ranges::find(inputs, node.inputs[0]) == inputs.end();
  };
  return std::ranges::none_of(nodes, inner);
}

std::string_view name_of(const Op& op) {
  return std::visit([](const auto& o) { return std::decay_t<decltype(o)>::kName; }, op);
}

const Linear* linear_of(const Op& op) {
  if (const auto* gemm = std::get_if<Gemm>(&op)) return &gemm->linear;
  if (const auto* conv = std::get_if<Conv>(&op)) return &conv->linear;
  return nullptr;
}

std::vector<Shape> shapes_of_batch(const QuantizedGraph& graph, std::int64_t n) {
  std::vector<Shape> shapes;
  for (const Value& value : graph.values) shapes.push_back(value.shape);
  for (ValueId input : graph.inputs)
    if (Shape& shape = shapes.at(static_cast<std::size_t>(input)); !shape.empty() && shape[0] == kDynamic) shape[0] = n;
  for (const Node& node : graph.nodes) {
    std::vector<Shape> results = shapes_of(graph, shapes, node);
    for (std::size_t i = 0; i < results.size(); ++i) shapes.at(static_cast<std::size_t>(node.outputs[i])) = std::move(results[i]);
  }
  return shapes;
}

Work count_work(const QuantizedGraph& graph) {
  const auto declared = [&](const std::vector<ValueId>& ids) {
    std::vector<Shape> shapes;
    for (ValueId id : ids) shapes.push_back(graph.value(id).shape);
    return shapes;
  };
  const std::int64_t batch = ir::fixed_batch(declared(graph.inputs), declared(graph.outputs));
  const std::vector<Shape> shapes = shapes_of_batch(graph, batch);
  const auto shape = [&](ValueId id) -> const Shape& { return shapes.at(static_cast<std::size_t>(id)); };
  Work work;
  for (const Node& node : graph.nodes) {
    if (const auto* island = std::get_if<Island>(&node.op)) {
      std::vector<Shape> operands;
      for (ValueId id : node.inputs) operands.push_back(shape(id));
      add_island(work, island->graph, operands, batch);
    } else if (!std::holds_alternative<Quantize>(node.op) && !std::holds_alternative<Dequantize>(node.op)) {
      ++work.integer_nodes;
      work.integer_macs += multiply_adds(node, shapes) / batch;
    }
  }
  return work;
}

std::vector<std::int64_t> multiply_adds(const QuantizedGraph& graph, std::int64_t n) {
  const std::vector<Shape> shapes = shapes_of_batch(graph, n);
  std::vector<std::int64_t> result;
  for (const Node& node : graph.nodes) result.push_back(multiply_adds(node, shapes));
  return result;
}

}  // namespace halftone::qgraph
