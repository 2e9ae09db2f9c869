#include "halftone/onnx_io/shape_values.h"

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/ir/ops/broadcast.h"

namespace halftone::onnx_io {
namespace {

// A larger constant is left to be computed when the network runs.
constexpr std::int64_t kMostElements = 1 << 24;

bool is_unknown(std::int64_t v) { return v == ShapeValues::kUnknown || v == ShapeValues::kBatch; }

Tensor shape_of(const ir::ShapeOf& op, const Shape& x) {
  Shape known = x;
  for (std::int64_t& dim : known)
    if (dim == kDynamic) dim = ShapeValues::kBatch;
  const Tensor all = Tensor::from<std::int64_t>({static_cast<std::int64_t>(known.size())}, known);
  const ir::Slice part{.starts = {op.start}, .ends = {op.end}, .axes = {}, .steps = {}};
  const Tensor* inputs[] = {&all};
  return evaluate(part, inputs)[0];
}

// Ops that hand elements on as they are.
bool is_move(const ir::Op& op) {
  return std::visit(
      []<typename T>(const T&) {
        return std::is_same_v<T, ir::Gather> || std::is_same_v<T, ir::Slice> ||
               std::is_same_v<T, ir::Concat> || std::is_same_v<T, ir::Squeeze> ||
               std::is_same_v<T, ir::Unsqueeze> || std::is_same_v<T, ir::Reshape> ||
               std::is_same_v<T, ir::Identity> || std::is_same_v<T, ir::Split> ||
               std::is_same_v<T, ir::Where> || std::is_same_v<T, ir::Equal> || std::is_same_v<T, ir::Expand>;
      },
      op);
}

bool is_arithmetic(const ir::Op& op) {
  return std::holds_alternative<ir::Add>(op) || std::holds_alternative<ir::Sub>(op) ||
         std::holds_alternative<ir::Mul>(op) || std::holds_alternative<ir::Div>(op);
}

// a ∘ b where a number that is not known makes the result unknown, but for x·1, 1·x, x/1, x + 0.
Tensor calculate(const ir::Op& op, const Tensor& a, const Tensor& b) {
  Tensor left = a;
  Tensor right = b;
  for (std::int64_t& v : left.mutable_data<std::int64_t>()) v = is_unknown(v) ? 1 : v;
  for (std::int64_t& v : right.mutable_data<std::int64_t>()) v = is_unknown(v) ? 1 : v;
  const Tensor* inputs[] = {&left, &right};
  Tensor y = ir::evaluate_op(op, inputs)[0];
  const auto index_a = ir::broadcast_index(a.shape(), y.shape());
  const auto index_b = ir::broadcast_index(b.shape(), y.shape());
  const bool scales = std::holds_alternative<ir::Mul>(op) || std::holds_alternative<ir::Div>(op);
  const std::int64_t neutral = scales ? 1 : 0;
  const bool symmetric = std::holds_alternative<ir::Mul>(op) || std::holds_alternative<ir::Add>(op);
  auto out = y.mutable_data<std::int64_t>();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t va = a.data<std::int64_t>()[static_cast<std::size_t>(index_a[i])];
    const std::int64_t vb = b.data<std::int64_t>()[static_cast<std::size_t>(index_b[i])];
    if (!is_unknown(va) && !is_unknown(vb)) continue;
    out[i] = vb == neutral ? va : va == neutral && symmetric ? vb : ShapeValues::kUnknown;
  }
  return y;
}

}  // namespace

bool has_unknown(const Tensor& value) {
  return value.dtype() == DType::int64 && std::ranges::any_of(value.data<std::int64_t>(), is_unknown);
}

const Tensor* ShapeValues::find(ir::ValueId id) const {
  const auto found = values_.find(id);
  return found == values_.end() ? nullptr : &found->second;
}

std::optional<std::vector<Tensor>> ShapeValues::follow(const ir::Graph& graph, const ir::Node& node,
                                                       std::span<const ir::TensorType> types) const {
  // Weights stay integers, and what is large stays a node.
  if (std::holds_alternative<ir::DequantizeLinear>(node.op) || std::holds_alternative<ir::Quant>(node.op))
    return std::nullopt;
  for (const ir::TensorType& type : types)
    if (!is_static(type.shape) || element_count(type.shape) > kMostElements) return std::nullopt;
  if (const auto* shape = std::get_if<ir::ShapeOf>(&node.op))
    return std::vector{shape_of(*shape, graph.value(node.inputs[0]).shape)};
  if (std::holds_alternative<ir::Size>(node.op)) {
    const Shape& x = graph.value(node.inputs[0]).shape;
    const std::int64_t size = is_static(x) ? element_count(x) : kUnknown;
    return std::vector{Tensor::from<std::int64_t>({}, {&size, 1})};
  }
  std::vector<const Tensor*> inputs;
  bool symbolic = false;
  for (ir::ValueId id : node.inputs) {
    const Tensor* known = id == ir::kNoValue ? nullptr : graph.constant(id);
    if (known == nullptr && id != ir::kNoValue) {
      known = find(id);
      if (known == nullptr) return std::nullopt;
      symbolic = true;
    }
    inputs.push_back(known);
  }
  if (!symbolic) return ir::evaluate_op(node.op, inputs);
  if (is_move(node.op)) return ir::evaluate_op(node.op, inputs);
  const auto* cast = std::get_if<ir::Cast>(&node.op);
  if (cast != nullptr && cast->to == DType::int64) return std::vector{*inputs[0]};
  if (is_arithmetic(node.op) && inputs[0]->dtype() == DType::int64)
    return std::vector{calculate(node.op, *inputs[0], *inputs[1])};
  return std::nullopt;
}

Tensor ShapeValues::reshape_request(const Tensor& request, const Shape& x) {
  Tensor result = request;
  auto dims = result.mutable_data<std::int64_t>();
  const bool rest_taken = std::ranges::find(dims, -1) != dims.end();
  int unknown = 0;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!is_unknown(dims[i])) continue;
    const bool own = dims[i] == kBatch && i < x.size() && x[i] == kDynamic;
    dims[i] = own ? 0 : -1;
    if (!own) ++unknown;
  }
  if (unknown > 1 || (unknown == 1 && rest_taken))
    throw UnsupportedError("Reshape",
                           "a shape with two dimensions that are not fixed", Remedy::give_shapes);
  return result;
}

}  // namespace halftone::onnx_io
