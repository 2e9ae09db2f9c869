#include "halftone/qgraph/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "halftone/base/error.h"
#include "halftone/ir/interpreter.h"
#include "halftone/ir/liveness.h"
#include "halftone/qgraph/check.h"
#include "halftone/qgraph/integer_loops.h"
#include "halftone/qgraph/moves.h"
#include "halftone/qgraph/onnx_loops.h"
#include "halftone/qgraph/operand_pair.h"

namespace halftone::qgraph {
namespace {

using Operands = std::vector<const Tensor*>;
using Integers = std::vector<std::int32_t>;

Tensor pack_result(const Value& type, const Shape& shape, const Integers& y) {
  return numeric::from_int32(shape, y, type.dtype);
}

Tensor run_op(const Quantize& op, const Operands& in, const Value&) {
  return numeric::quantize(*in[0], numeric::per_tensor(op.grid), op.rounding);
}
Tensor run_op(const Dequantize& op, const Operands& in, const Value&) {
  return numeric::dequantize(*in[0], op.params);
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

// Mode onnx, where float32 computes y without sums of integers.
Tensor run_real(const AveragePool& op, const Operands& in, const Value& type) {
  const Shape shape = window_shape(in[0]->shape(), in[0]->dim(1), op.axes);
  Integers y(static_cast<std::size_t>(element_count(shape)));
  onnx::average_pool(numeric::to_int32(*in[0]), shape[0] * shape[1], op, y);
  return pack_result(type, shape, y);
}

Tensor run_real(const Add& op, const Operands& in, const Value& type) {
  const OperandPair pair(*in[0], *in[1]);
  Integers y(pair.index_a.size());
  const onnx::Operand a{pair.a, pair.index_a, op.a};
  const onnx::Operand b{pair.b, pair.index_b, op.b};
  const numeric::OutputBounds& bounds = op.requantizer.bounds;
  if (op.subtract)
    onnx::subtract(a, b, op.y.scale, bounds, y);
  else if (onnx::exchanges(in[0]->shape(), in[1]->shape()))
    onnx::add(b, a, op.y.scale, bounds, y);
  else
    onnx::add(a, b, op.y.scale, bounds, y);
  return pack_result(type, pair.shape, y);
}

Tensor run_real(const Mul& op, const Operands& in, const Value& type) {
  const OperandPair pair(*in[0], *in[1]);
  Integers y(pair.index_a.size());
  onnx::multiply({pair.a, pair.index_a, op.a}, {pair.b, pair.index_b, op.b}, std::get<Float32>(op.requantizer.scaling).M[0],
                 op.requantizer.bounds, y);
  return pack_result(type, pair.shape, y);
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
  const std::function<void(const Sums&)>& see;  // may be empty

  template <typename Op>
  Tensor operator()(const Op& op) const {
    return run_op(op, in, type);
  }
  Tensor operator()(const Gemm& op) const { return rounded(sums_of(op, w, *in[0]), op.linear.requantizer); }
  Tensor operator()(const Conv& op) const { return rounded(sums_of(op, w, *in[0]), op.linear.requantizer); }
  Tensor operator()(const Requantize& op) const { return rounded(sums_of(op, *in[0]), op.requantizer); }
  Tensor operator()(const AveragePool& op) const {
    if (op.requantizer.is_float() && !onnx::covers_input(op)) return run_real(op, in, type);
    return rounded(sums_of(op, *in[0]), op.requantizer);
  }
  Tensor operator()(const Add& op) const {
    return op.requantizer.is_float() ? run_real(op, in, type) : rounded(sums_of(op, *in[0], *in[1]), op.requantizer);
  }
  Tensor operator()(const Mul& op) const {
    return op.requantizer.is_float() ? run_real(op, in, type) : rounded(sums_of(op, *in[0], *in[1]), op.requantizer);
  }
  Tensor operator()(const Island&) const { throw std::logic_error("an island has no kernel"); }

 private:
  Tensor rounded(const Sums& sums, const Requantizer& requantizer) const {
    if (see) see(sums);
    return pack_result(type, sums.shape, requantized(sums, requantizer));
  }
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
  return run_with_sums(inputs, visit, {});
}

std::vector<Tensor> Interpreter::run_with_sums(std::span<const Tensor> inputs, const ir::Visitor& visit, const SumsVisitor& visit_sums) const {
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
        std::function<void(const Sums&)> see;
        if (visit_sums) see = [&](const Sums& sums) { visit_sums(node, sums); };
        store(node.output(), std::visit(Kernel{weights_[n], operands, graph_.value(node.output()), see}, node.op));
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
