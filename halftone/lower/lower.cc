#include "halftone/lower/lower.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/lower/join_islands.h"
#include "halftone/lower/lowering.h"
#include "halftone/lower/qoperators.h"

namespace halftone::lower {

Lowering::Lowering(ir::Graph graph)
    : in_(std::move(graph)), producers_(ir::producers(in_)), consumers_(ir::consumers(in_)) {
  uses_ = ir::use_counts(in_);
  integer_.resize(in_.values.size());
  float_.resize(in_.values.size());
  absorbed_.resize(in_.nodes.size());
  out_.name = in_.name;
  out_.arithmetic = numeric::read_arithmetic(in_.metadata);
}

qgraph::QuantizedGraph Lowering::run() {
  for (ir::ValueId id : in_.inputs) add_input(id);
  for (std::size_t n = 0; n < in_.nodes.size(); ++n)
    if (!absorbed_[n] && in_.constant(in_.nodes[n].outputs[0]) == nullptr) visit(in_.nodes[n]);
  for (ir::ValueId id : in_.outputs) out_.outputs.push_back(output_value(id));
  return std::move(out_);
}

std::string Lowering::unique(const std::string& name) {
  return names_.insert(name).second ? name : invented(name + "_float");
}

std::string Lowering::invented(std::string name) {
  while (in_.find(name) || !names_.insert(name).second) name += '_';
  return name;
}

qgraph::ValueId Lowering::add_value(const std::string& name, const Shape& shape, DType dtype,
                  std::optional<numeric::Grid> grid) {
  out_.values.push_back({unique(name), shape, dtype, grid});
  return static_cast<qgraph::ValueId>(out_.values.size()) - 1;
}

qgraph::ValueId Lowering::add_node(const std::string& name, qgraph::Op op, std::vector<qgraph::ValueId> inputs, qgraph::ValueId output) {
  out_.nodes.push_back({name, std::move(op), std::move(inputs), {output}});
  return output;
}

void Lowering::add_input(ir::ValueId id) {
  const ir::Value& value = in_.value(id);
  const qgraph::ValueId added = add_value(value.name, value.shape, value.dtype, std::nullopt);
  (is_float(value.dtype) ? float_of(id) : integer_of(id)) = added;
  out_.inputs.push_back(added);
}

qgraph::ValueId Lowering::output_value(ir::ValueId id) {
  if (const Tensor* constant = in_.constant(id)) {
    const qgraph::ValueId y = add_value(in_.value(id).name, constant->shape(), constant->dtype(), std::nullopt);
    return add_node(in_.value(id).name, qgraph::Constant{*constant}, {}, y);
  }
  const bool integers = !is_float(in_.value(id).dtype);
  if (integers && integer_of(id)) return *integer_of(id);
  if (integers && float_of(id)) return *float_of(id);
  if (integers)
    throw UnsupportedError("lower",
                           fmt::format("output '{}' is a constant or not computed", in_.value(id).name));
  return float_value(id);
}

qgraph::ValueId Lowering::float_value(ir::ValueId id) {
  if (float_of(id)) return *float_of(id);
  if (!integer_of(id))
    throw UnsupportedError("lower", fmt::format("value '{}' is not computed", in_.value(id).name));
  const qgraph::ValueId q = *integer_of(id);
  if (!out_.value(q).grid)
    throw UnsupportedError("lower",
                           fmt::format("value '{}' is integers without a scale", in_.value(id).name));
  const qgraph::ValueId y = add_value(in_.value(id).name, in_.value(id).shape, DType::float32, std::nullopt);
  float_of(id) = add_node(in_.value(id).name, qgraph::Dequantize{numeric::per_tensor(grid_of(q))}, {q}, y);
  return y;
}

void Lowering::visit(const ir::Node& node) {
  if (as<ir::QuantizeLinear>(node) != nullptr) return visit_quantize(node);
  if (as<ir::DequantizeLinear>(node) != nullptr) return visit_dequantize(node);
  const bool on_integers = !node.inputs.empty() && node.inputs[0] != ir::kNoValue &&
                           integer_of(node.inputs[0]) && out_.value(*integer_of(node.inputs[0])).grid;
  if (on_integers && (try_move(node) || try_clip(node))) return;
  const qgraph::FloatReason reason = try_fuse(node);
  if (!reason.empty()) add_island(node, reason);
}

void Lowering::expect_float32(const ir::Node& node, ir::ValueId real) const {
  if (in_.value(real).dtype != DType::float32)
    throw UnsupportedError(ir::describe(in_, node), fmt::format("reals of type {}, expected float32",
                                                                name_of(in_.value(real).dtype)));
}

void Lowering::visit_quantize(const ir::Node& node) {
  const ir::ValueId x = node.inputs[0];
  expect_float32(node, x);
  const ir::Value& output = in_.value(node.outputs[0]);
  const auto& op = *as<ir::QuantizeLinear>(node);
  if (op.rounding != out_.arithmetic.rounding)
    throw UnsupportedError(ir::describe(in_, node),
                           fmt::format("rounding {}, expected {} as everywhere in the file", numeric::name_of(op.rounding),
                                       numeric::name_of(out_.arithmetic.rounding)));
  const numeric::QuantParams params = params_of(in_, node);
  if (params.granularity != numeric::Granularity::tensor)
    throw UnsupportedError(ir::describe(in_, node),
                           "activations quantized along an axis, expected per tensor");
  const numeric::Grid y = params.grid();
  std::optional<qgraph::ValueId>& result = integer_of(node.outputs[0]);
  if (const auto pending = pending_.find(x); pending != pending_.end()) {
    pending->second.fused.y = y;
    const qgraph::ValueId id = add_value(output.name, output.shape, output.dtype, y);
    qgraph::Op integers = lower_op(pending->second.fused);
    note_rounded_bias(pending->second, integers);
    result = add_node(pending->second.fused.name, std::move(integers), pending->second.inputs, id);
  } else if (integer_of(x) && grid_of(*integer_of(x)) == y) {
    result = alias(*integer_of(x), output);
  } else {
    const qgraph::ValueId id = add_value(output.name, output.shape, output.dtype, y);
    if (integer_of(x))
      result =
          add_node(output.name, make_requantize(grid_of(*integer_of(x)), y, out_.arithmetic, output.name),
                   {*integer_of(x)}, id);
    else
      result = add_node(output.name, qgraph::Quantize{y, out_.arithmetic.rounding}, {float_value(x)}, id);
  }
}

qgraph::ValueId Lowering::alias(qgraph::ValueId id, const ir::Value& output) {
  if (views_.erase(id) > 0) {
    names_.erase(out_.value(id).name);
    out_.values[static_cast<std::size_t>(id)].name = unique(output.name);
    return id;
  }
  const qgraph::ValueId copy = add_value(output.name, output.shape, output.dtype, grid_of(id));
  return add_node(output.name, qgraph::Move{}, {id}, copy);
}

void Lowering::visit_dequantize(const ir::Node& node) {
  const ir::ValueId x = node.inputs[0];
  expect_float32(node, node.outputs[0]);
  if (in_.constant(x) != nullptr) return;  // weights: their readers take them from here
  if (!integer_of(x))
    throw UnsupportedError(ir::describe(in_, node), "reads a value that is not quantized");
  const numeric::QuantParams params = params_of(in_, node);
  qgraph::Value& value = out_.values[static_cast<std::size_t>(*integer_of(x))];
  if (params.granularity == numeric::Granularity::tensor && in_.value(x).dtype != DType::int32) {
    if (!value.grid) value.grid = params.grid();  // an integer input of the graph
    if (value.grid->affine == params.tensor() && value.dtype == in_.value(x).dtype) {
      integer_of(node.outputs[0]) = integer_of(x);
      return;
    }
  }
  const ir::Value& output = in_.value(node.outputs[0]);
  const qgraph::ValueId y = add_value(output.name, output.shape, DType::float32, std::nullopt);
  float_of(node.outputs[0]) = add_node(node.name, qgraph::Dequantize{params}, {*integer_of(x)}, y);
}

namespace {

// Operators that take or give integers which stand for reals.
template <typename Op>
constexpr bool kOfIntegers = ir::QuantizedOp<Op>;
template <>
constexpr bool kOfIntegers<ir::QuantizeLinear> = true;
template <>
constexpr bool kOfIntegers<ir::DequantizeLinear> = true;
template <>
constexpr bool kOfIntegers<ir::DynamicQuantizeLinear> = true;
template <>
constexpr bool kOfIntegers<ir::Quant> = true;
template <>
constexpr bool kOfIntegers<ir::ConvInteger> = true;
template <>
constexpr bool kOfIntegers<ir::MatMulInteger> = true;
template <>
constexpr bool kOfIntegers<ir::QLinearConv> = true;
template <>
constexpr bool kOfIntegers<ir::QLinearMatMul> = true;
template <>
constexpr bool kOfIntegers<ir::QGemm> = true;

}  // namespace

bool is_quantized(const ir::Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const ir::Node& node) {
    return std::visit([](const auto& op) { return kOfIntegers<std::decay_t<decltype(op)>>; }, node.op);
  });
}

qgraph::QuantizedGraph lower(const ir::Graph& graph) {
  ir::Graph copy = with_pairs(graph);
  fold_integer_weights(copy);
  return join_islands(Lowering(std::move(copy)).run());
}

}  // namespace halftone::lower
