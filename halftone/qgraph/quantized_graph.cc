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

// The operands of an island, its constants among them.
std::vector<ir::TensorType> operands_of(const QuantizedGraph& graph, const std::vector<Shape>& shapes, const Node& node) {
  std::vector<ir::TensorType> operands;
  std::size_t next = 0;
  for (const auto& constant : std::get<Float>(node.op).constants) {
    if (constant) {
      operands.push_back({constant->dtype(), constant->shape(), &*constant});
      continue;
    }
    const ValueId id = node.inputs.at(next++);
    operands.push_back({graph.value(id).dtype, shapes.at(static_cast<std::size_t>(id)), nullptr});
  }
  return operands;
}

Shape island_shape(const QuantizedGraph& graph, const std::vector<Shape>& shapes, const Node& node) {
  const std::vector<ir::TensorType> operands = operands_of(graph, shapes, node);
  std::vector<const ir::TensorType*> inputs;
  for (const ir::TensorType& operand : operands) inputs.push_back(&operand);
  const auto& island = std::get<Float>(node.op);
  return ir::infer_op(island.op, inputs).at(island.result).shape;
}

// The shape of a node's output for inputs of known shapes. Kernels keep the first dimension of what they take.
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
  Shape operator()(const Quantize&) const { return inputs.at(0); }
  Shape operator()(const Dequantize&) const { return inputs.at(0); }
  Shape operator()(const Move& op) const { return shape_of(op, inputs.at(0), declared); }
  Shape operator()(const Pad& op) const { return shape_of(op, inputs.at(0)); }
  Shape operator()(const Concat& op) const { return shape_of(op, inputs); }
  Shape operator()(const Extreme& op) const { return shape_of(op, inputs); }
  Shape operator()(const Constant& op) const { return op.tensor.shape(); }
};

Shape shape_in_run(const QuantizedGraph& graph, const std::vector<Shape>& shapes, const Node& node) {
  if (std::holds_alternative<Float>(node.op)) return island_shape(graph, shapes, node);
  ShapeInRun in_run{.declared = graph.value(node.output).shape, .inputs = {}};
  for (ValueId id : node.inputs) in_run.inputs.push_back(shapes.at(static_cast<std::size_t>(id)));
  return std::visit(in_run, node.op);
}

// As declared where the node cannot run in that size.
Shape shape_of(const QuantizedGraph& graph, const std::vector<Shape>& shapes, const Node& node) {
  const Shape& declared = graph.value(node.output).shape;
  if (std::ranges::find(declared, kDynamic) == declared.end()) return declared;
  try {
    return shape_in_run(graph, shapes, node);
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

bool computes_integers(const ir::Op& op) {
  return std::holds_alternative<ir::ConvInteger>(op) || std::holds_alternative<ir::MatMulInteger>(op);
}

}  // namespace

bool QuantizedGraph::integer_only() const {
  const auto inner = [&](const Node& node) {
    if (std::holds_alternative<Float>(node.op)) return true;
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
  for (const Node& node : graph.nodes) shapes.at(static_cast<std::size_t>(node.output)) = shape_of(graph, shapes, node);
  return shapes;
}

Work count_work(const QuantizedGraph& graph) {
  std::vector<Shape> inputs;
  for (ValueId id : graph.inputs) inputs.push_back(graph.value(id).shape);
  const std::int64_t batch = ir::fixed_batch(inputs);
  const std::vector<Shape> shapes = shapes_of_batch(graph, batch);
  const auto shape = [&](ValueId id) -> const Shape& { return shapes.at(static_cast<std::size_t>(id)); };
  Work work;
  const Node* before = nullptr;
  for (const Node& node : graph.nodes) {
    const bool other_output = before != nullptr && std::holds_alternative<Float>(node.op) &&
                              std::holds_alternative<Float>(before->op) && before->name == node.name &&
                              before->inputs == node.inputs && std::get<Float>(node.op).result > 0;
    before = &node;
    if (other_output) continue;
    const Shape& y = shape(node.output);
    if (const auto* island = std::get_if<Float>(&node.op)) {
      const bool integers = computes_integers(island->op);
      ++(integers ? work.integer_nodes : work.float_nodes);
      const std::vector<ir::TensorType> operands = operands_of(graph, shapes, node);
      if (operands.size() > 1)
        (integers ? work.integer_macs : work.float_macs) +=
            ir::multiply_adds(island->op, operands[0].shape, operands[1].shape, y) / batch;
    } else if (!std::holds_alternative<Quantize>(node.op) && !std::holds_alternative<Dequantize>(node.op)) {
      ++work.integer_nodes;
      if (const auto* gemm = std::get_if<Gemm>(&node.op)) work.integer_macs += elements(y) * gemm->linear.reduction / batch;
      if (const auto* conv = std::get_if<Conv>(&node.op))
        work.integer_macs += multiply_adds(*conv, shape(node.inputs[0]), y) / batch;
    }
  }
  return work;
}

}  // namespace halftone::qgraph
