#include "halftone/qgraph/sums.h"

#include <algorithm>
#include <cstdlib>

#include "halftone/qgraph/integer_loops.h"
#include "halftone/qgraph/onnx_loops.h"
#include "halftone/qgraph/operand_pair.h"

namespace halftone::qgraph {
namespace {

Sums empty_sums(Shape shape) {
  Sums sums{.shape = std::move(shape)};
  sums.acc.resize(static_cast<std::size_t>(element_count(sums.shape)));
  return sums;
}

// max|q − z|.
std::int64_t reach(const numeric::Grid& grid) {
  const std::int64_t zero = grid.affine.zero_point;
  return std::max(std::abs(grid.format.qmin() - zero), std::abs(grid.format.qmax() - zero));
}

struct Bound {
  const QuantizedGraph& graph;
  const Node& node;

  using Result = std::optional<std::int64_t>;

  std::int64_t input(std::size_t i) const { return reach(graph.value(node.inputs.at(i)).grid.value()); }

  template <typename Op>
  Result operator()(const Op&) const {
    return std::nullopt;
  }
  Result operator()(const Gemm& op) const { return of(op.linear); }
  Result operator()(const Conv& op) const { return of(op.linear); }
  Result operator()(const AveragePool& op) const {
    return op.requantizer.is_float() && !onnx::covers_input(op) ? Result() : input(0) * op.counts.back();
  }
  Result operator()(const Add& op) const {
    return op.requantizer.is_float() ? Result() : std::abs(op.m_a) * input(0) + std::abs(op.m_b) * input(1);
  }
  Result operator()(const Mul& op) const { return op.requantizer.is_float() ? Result() : input(0) * input(1); }
  Result operator()(const Requantize&) const { return input(0); }

  static std::int64_t of(const Linear& linear) { return linear.bound.empty() ? 0 : std::ranges::max(linear.bound); }
};

}  // namespace

Shape window_shape(const Shape& x, std::int64_t channels, const ir::PlaneAxes& axes) {
  if (x.size() == 3) return {x[0], channels, axes[1].out};
  return {x[0], channels, axes[0].out, axes[1].out};
}

Sums sums_of(const Gemm& op, std::span<const std::int32_t> w, const Tensor& x) {
  Shape shape = x.shape();
  shape.back() = op.linear.channels;
  Sums sums = empty_sums(std::move(shape));
  integer::gemm(numeric::to_int32(x), op.x_zero_point, op.linear, w, sums.acc);
  return sums;
}

Sums sums_of(const Conv& op, std::span<const std::int32_t> w, const Tensor& x) {
  Sums sums = empty_sums(window_shape(x.shape(), op.linear.channels, op.axes));
  sums.inner = op.axes[0].out * op.axes[1].out;
  integer::conv(numeric::to_int32(x), x.dim(0), op, w, sums.acc);
  return sums;
}

Sums sums_of(const AveragePool& op, const Tensor& x) {
  Sums sums = empty_sums(window_shape(x.shape(), x.dim(1), op.axes));
  sums.entry.resize(sums.acc.size());
  integer::average_pool(numeric::to_int32(x), sums.shape[0] * sums.shape[1], op, sums.acc, sums.entry);
  return sums;
}

Sums sums_of(const Add& op, const Tensor& a, const Tensor& b) {
  const OperandPair pair(a, b);
  Sums sums = empty_sums(pair.shape);
  integer::add(pair.a, pair.index_a, pair.b, pair.index_b, op, sums.acc);
  return sums;
}

Sums sums_of(const Mul& op, const Tensor& a, const Tensor& b) {
  const OperandPair pair(a, b);
  Sums sums = empty_sums(pair.shape);
  integer::multiply(pair.a, pair.index_a, pair.b, pair.index_b, op, sums.acc);
  return sums;
}

Sums sums_of(const Requantize& op, const Tensor& x) {
  const std::vector<std::int32_t> q = numeric::to_int32(x);
  Sums sums = empty_sums(x.shape());
  for (std::size_t i = 0; i < q.size(); ++i) sums.acc[i] = q[i] - op.x_zero_point;
  return sums;
}

std::vector<std::int32_t> requantized(const Sums& sums, const Requantizer& requantizer) {
  std::vector<std::int32_t> y(sums.acc.size());
  const bool real = requantizer.is_float();
  if (!sums.entry.empty())
    (real ? onnx::requantize_by_entry : integer::requantize_by_entry)(sums.acc, sums.entry, requantizer, y);
  else
    (real ? onnx::requantize : integer::requantize)(sums.acc, sums.inner, requantizer, y);
  return y;
}

const Requantizer* requantizer_of(const Op& op) {
  if (const Linear* linear = linear_of(op)) return &linear->requantizer;
  if (const auto* pool = std::get_if<AveragePool>(&op)) return &pool->requantizer;
  if (const auto* add = std::get_if<Add>(&op)) return &add->requantizer;
  if (const auto* mul = std::get_if<Mul>(&op)) return &mul->requantizer;
  if (const auto* other = std::get_if<Requantize>(&op)) return &other->requantizer;
  return nullptr;
}

std::optional<std::int64_t> bound_of_sums(const QuantizedGraph& graph, const Node& node) { return std::visit(Bound{graph, node}, node.op); }

}  // namespace halftone::qgraph
