#include "halftone/qgraph/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "halftone/base/error.h"
#include "halftone/ir/interpreter.h"
#include "halftone/ir/liveness.h"
#include "halftone/qgraph/check.h"
#include "halftone/qgraph/integer_loops.h"
#include "halftone/qgraph/moves.h"
#include "halftone/qgraph/onnx_loops.h"

namespace halftone::qgraph {
namespace {

using Operands = std::vector<const Tensor*>;
using Integers = std::vector<std::int32_t>;

Tensor pack_result(const Value& type, const Shape& shape, const Integers& y) {
  return numeric::from_int32(shape, y, type.dtype);
}

Integers requantize_sums(const std::vector<std::int64_t>& acc, std::int64_t inner,
                         const Requantizer& requantizer) {
  Integers y(acc.size());
  if (requantizer.is_float())
    onnx::requantize(acc, inner, requantizer, y);
  else
    integer::requantize(acc, inner, requantizer, y);
  return y;
}

Tensor run_op(const Quantize& op, const Operands& in, const Value&) {
  return numeric::quantize(*in[0], numeric::per_tensor(op.grid), op.rounding);
}
Tensor run_op(const Dequantize& op, const Operands& in, const Value&) {
  return numeric::dequantize(*in[0], op.params);
}

Tensor run_linear(const Gemm& op, const Integers& w, const Operands& in, const Value& type) {
  Shape shape = in[0]->shape();
  shape.back() = op.linear.channels;
  std::vector<std::int64_t> acc(static_cast<std::size_t>(element_count(shape)));
  integer::gemm(numeric::to_int32(*in[0]), op.x_zero_point, op.linear, w, acc);
  return pack_result(type, shape, requantize_sums(acc, 1, op.linear.requantizer));
}

// [N, channels, out…] for an input of one or two spatial dimensions.
Shape window_shape(const Shape& x, std::int64_t channels, const ir::PlaneAxes& axes) {
  if (x.size() == 3) return {x[0], channels, axes[1].out};
  return {x[0], channels, axes[0].out, axes[1].out};
}

Tensor run_linear(const Conv& op, const Integers& w, const Operands& in, const Value& type) {
  const Shape shape = window_shape(in[0]->shape(), op.linear.channels, op.axes);
  std::vector<std::int64_t> acc(static_cast<std::size_t>(element_count(shape)));
  integer::conv(numeric::to_int32(*in[0]), in[0]->dim(0), op, w, acc);
  return pack_result(type, shape,
                     requantize_sums(acc, op.axes[0].out * op.axes[1].out, op.linear.requantizer));
}

Tensor run_op(const Table& op, const Operands& in, const Value& type) {
  Integers y(static_cast<std::size_t>(in[0]->size()));
  const Shape& shape = in[0]->shape();
  const std::int64_t inner = op.channels == 1 ? 1 : product(shape, 2, shape.size());
  integer::table(numeric::to_int32(*in[0]), inner, op, y);
  return pack_result(type, in[0]->shape(), y);
}

Tensor run_op(const MaxPool& op, const Operands& in, const Value& type) {
  const Shape shape = window_shape(in[0]->shape(), in[0]->dim(1), op.axes);
  Integers y(static_cast<std::size_t>(element_count(shape)));
  integer::max_pool(numeric::to_int32(*in[0]), shape[0] * shape[1], op.axes, y);
  return pack_result(type, shape, y);
}

Tensor run_op(const AveragePool& op, const Operands& in, const Value& type) {
  const Shape shape = window_shape(in[0]->shape(), in[0]->dim(1), op.axes);
  const auto count = static_cast<std::size_t>(element_count(shape));
  const bool onnx = op.requantizer.is_float();
  Integers y(count);
  if (onnx && !onnx::covers_input(op)) {
    onnx::average_pool(numeric::to_int32(*in[0]), shape[0] * shape[1], op, y);
    return pack_result(type, shape, y);
  }
  std::vector<std::int64_t> acc(count);
  Integers entry(count);
  integer::average_pool(numeric::to_int32(*in[0]), shape[0] * shape[1], op, acc, entry);
  if (onnx)
    onnx::requantize_by_entry(acc, entry, op.requantizer, y);
  else
    integer::requantize_by_entry(acc, entry, op.requantizer, y);
  return pack_result(type, shape, y);
}

// Two operands read with broadcasting.
struct Pair {
  explicit Pair(const Operands& in)
      : shape(ir::broadcast_shape(in[0]->shape(), in[1]->shape())),
        index_a(ir::broadcast_index(in[0]->shape(), shape)),
        index_b(ir::broadcast_index(in[1]->shape(), shape)),
        a(numeric::to_int32(*in[0])),
        b(numeric::to_int32(*in[1])) {}

  Shape shape;
  std::vector<std::int64_t> index_a;
  std::vector<std::int64_t> index_b;
  Integers a;
  Integers b;
};

Tensor run_op(const Add& op, const Operands& in, const Value& type) {
  const Pair pair(in);
  Integers y(pair.index_a.size());
  if (op.requantizer.is_float()) {
    const onnx::Operand a{pair.a, pair.index_a, op.a};
    const onnx::Operand b{pair.b, pair.index_b, op.b};
    const numeric::OutputBounds& bounds = op.requantizer.bounds;
    if (op.subtract)
      onnx::subtract(a, b, op.y.scale, bounds, y);
    else if (onnx::exchanges(in[0]->shape(), in[1]->shape()))
      onnx::add(b, a, op.y.scale, bounds, y);
    else
      onnx::add(a, b, op.y.scale, bounds, y);
  } else {
    std::vector<std::int64_t> acc(y.size());
    integer::add(pair.a, pair.index_a, pair.b, pair.index_b, op, acc);
    y = requantize_sums(acc, static_cast<std::int64_t>(acc.size()) + 1, op.requantizer);
  }
  return pack_result(type, pair.shape, y);
}

Tensor run_op(const Mul& op, const Operands& in, const Value& type) {
  const Pair pair(in);
  Integers y(pair.index_a.size());
  if (op.requantizer.is_float()) {
    onnx::multiply({pair.a, pair.index_a, op.a}, {pair.b, pair.index_b, op.b}, std::get<Float32>(op.requantizer.scaling).M[0],
                   op.requantizer.bounds, y);
  } else {
    std::vector<std::int64_t> acc(y.size());
    integer::multiply(pair.a, pair.index_a, pair.b, pair.index_b, op, acc);
    y = requantize_sums(acc, 1, op.requantizer);
  }
  return pack_result(type, pair.shape, y);
}

Tensor run_op(const Requantize& op, const Operands& in, const Value& type) {
  const Integers x = numeric::to_int32(*in[0]);
  std::vector<std::int64_t> centred(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) centred[i] = x[i] - op.x_zero_point;
  return pack_result(type, in[0]->shape(), requantize_sums(centred, 1, op.requantizer));
}

Tensor run_op(const Move& op, const Operands& in, const Value& type) { return moved(op, *in[0], type.shape); }
Tensor run_op(const Concat& op, const Operands& in, const Value&) { return joined(op, in); }
Tensor run_op(const Pad& op, const Operands& in, const Value&) { return padded(op, *in[0]); }
Tensor run_op(const Extreme& op, const Operands& in, const Value&) { return chosen(op, in); }
Tensor run_op(const Constant& op, const Operands&, const Value&) { return op.tensor; }

// The operands of a kernel: an op, its operands and the type of its output.
struct Kernel {
  const Integers& w;  // the centred weights of a linear layer
  const Operands& in;
  const Value& type;

  template <typename Op>
  Tensor operator()(const Op& op) const {
    return run_op(op, in, type);
  }
  Tensor operator()(const Gemm& op) const { return run_linear(op, w, in, type); }
  Tensor operator()(const Conv& op) const { return run_linear(op, w, in, type); }
  Tensor operator()(const Island&) const { throw std::logic_error("an island has no kernel"); }
};

// Its inputs have been visited already, where they were computed.
std::vector<Tensor> run_island(const ir::Interpreter& island, const ir::Graph& graph, const Operands& in, const ir::Visitor& visit) {
  std::vector<Tensor> inputs;
  for (const Tensor* tensor : in) inputs.push_back(*tensor);
  if (!visit) return island.run(inputs);
  return island.run(inputs, [&](std::string_view name, Tensor& tensor) {
    const auto is_named = [&](ir::ValueId id) { return graph.value(id).name == name; };
    if (std::ranges::none_of(graph.inputs, is_named)) visit(name, tensor);
  });
}

Integers weights_of(const Node& node) {
  const Linear* linear = linear_of(node.op);
  return linear != nullptr ? centred_weights(*linear) : Integers{};
}

void check_inputs(const QuantizedGraph& graph, std::span<const Tensor> tensors) {
  ir::Graph signature;
  for (ValueId id : graph.inputs)
    signature.add_input(graph.value(id).name, graph.value(id).dtype, graph.value(id).shape);
  ir::check_inputs(signature, tensors);
}

}  // namespace

Interpreter::Interpreter(QuantizedGraph graph) : graph_(std::move(graph)) {
  check(graph_);
  last_reader_ = ir::last_readers(graph_);
  for (const Node& node : graph_.nodes) {
    weights_.push_back(weights_of(node));
    const auto* island = std::get_if<Island>(&node.op);
    islands_.push_back(island != nullptr ? std::make_unique<ir::Interpreter>(island->graph) : nullptr);
  }
}

std::vector<Tensor> Interpreter::run(std::span<const Tensor> inputs, const ir::Visitor& visit) const {
  check_inputs(graph_, inputs);
  std::vector<Tensor> computed(graph_.values.size());
  const auto store = [&](ValueId id, Tensor tensor) {
    if (visit) visit(graph_.value(id).name, tensor);
    computed[static_cast<std::size_t>(id)] = std::move(tensor);
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) store(graph_.inputs[i], inputs[i]);
  for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
    const Node& node = graph_.nodes[n];
    Operands operands;
    for (ValueId id : node.inputs) operands.push_back(&computed[static_cast<std::size_t>(id)]);
    try {
      if (const auto* island = std::get_if<Island>(&node.op)) {
        std::vector<Tensor> results = run_island(*islands_[n], island->graph, operands, visit);
        for (std::size_t i = 0; i < results.size(); ++i) computed[static_cast<std::size_t>(node.outputs[i])] = std::move(results[i]);
      } else {
        store(node.output(), std::visit(Kernel{weights_[n], operands, graph_.value(node.output())}, node.op));
      }
    } catch (const InputError& error) {
      throw InputError(fmt::format("{} '{}'", name_of(node.op), node.name), error.what());
    }
    for (ValueId id : node.inputs)
      if (last_reader_[static_cast<std::size_t>(id)] == n) computed[static_cast<std::size_t>(id)] = Tensor();
  }
  std::vector<Tensor> outputs;
  for (ValueId id : graph_.outputs) outputs.push_back(computed[static_cast<std::size_t>(id)]);
  return outputs;
}

}  // namespace halftone::qgraph
