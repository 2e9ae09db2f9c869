#include "halftone/qgraph/multipliers.h"

#include <cmath>
#include <cstdlib>

#include "halftone/numeric/multiplier.h"

namespace halftone::qgraph {
namespace {

// The integers of a requantizer for factors that share none with each other.
void take(Multipliers& out, const Requantizer& requantizer) {
  if (const auto* shift = std::get_if<Shift>(&requantizer.scaling)) out.shift = shift->shift;
  const auto* scaling = std::get_if<MultiplyShift>(&requantizer.scaling);
  if (scaling == nullptr) return;
  out.bits = scaling->mantissa_bits;
  out.m = scaling->m;
  out.shift = scaling->shift;
  for (double M : out.M) {
    int exponent = 0;
    out.M0.push_back(std::frexp(M, &exponent));
    out.n.push_back(-exponent);
  }
}

// Terms of sums, `terms` of each, whose m are given and which share a shift; B is 0 in mode shift.
void take_shared(Multipliers& out, std::vector<std::int64_t> m, const Requantizer& requantizer, const numeric::ArithmeticSpec& arithmetic) {
  const auto* shift = std::get_if<Shift>(&requantizer.scaling);
  if (shift == nullptr) return;
  out.m = std::move(m);
  out.shift = shift->shift;
  if (arithmetic.mode != numeric::Arithmetic::fixed) return;
  out.bits = arithmetic.mantissa_bits;
  const std::size_t terms = out.M.size() / out.shift.size();
  for (int each : out.shift) out.n.push_back(each - (out.bits - 1));
  for (std::size_t i = 0; i < out.M.size(); ++i) out.M0.push_back(std::ldexp(out.M[i], out.n[i / terms]));
}

struct Visitor {
  const QuantizedGraph& graph;
  const Node& node;

  using Result = std::optional<Multipliers>;

  float input(std::size_t i) const { return graph.value(node.inputs.at(i)).grid.value().affine.scale; }
  float output() const { return graph.value(node.output()).grid.value().affine.scale; }

  template <typename Op>
  Result operator()(const Op&) const {
    return std::nullopt;
  }
  Result operator()(const Gemm& op) const { return of(op.linear); }
  Result operator()(const Conv& op) const { return of(op.linear); }

  Result operator()(const Add& op) const {
    Multipliers out{.by = "operand"};
    for (std::size_t i = 0; i < 2; ++i) out.M.push_back(numeric::real_multiplier(input(i), 1.0F, output()));
    if (op.subtract || op.m_b < 0) out.M[1] = -out.M[1];
    take_shared(out, {op.m_a, op.m_b}, op.requantizer, graph.arithmetic);
    return out;
  }

  Result operator()(const Mul& op) const {
    Multipliers out{.by = "tensor", .M = {numeric::real_multiplier(input(0), input(1), output())}};
    take(out, op.requantizer);
    return out;
  }

  Result operator()(const Requantize& op) const {
    Multipliers out{.by = "tensor", .M = {numeric::real_multiplier(input(0), 1.0F, output())}};
    take(out, op.requantizer);
    return out;
  }

  Result operator()(const AveragePool& op) const {
    Multipliers out{.by = op.counts.size() == 1 ? "tensor" : "count"};
    for (std::int64_t count : op.counts) out.M.push_back(double{input(0)} / (double{output()} * static_cast<double>(count)));
    take(out, op.requantizer);
    return out;
  }

  Result of(const Linear& linear) const {
    const std::vector<numeric::Affine>& affine = linear.w_params.affine;
    Multipliers out{.by = linear.group_size > 0 ? "group" : affine.size() == 1 ? "tensor" : "channel"};
    for (const numeric::Affine& each : affine) out.M.push_back(numeric::real_multiplier(input(0), each.scale, output()));
    if (linear.group_size > 0)
      take_shared(out, linear.group_m, linear.requantizer, graph.arithmetic);
    else
      take(out, linear.requantizer);
    return out;
  }
};

}  // namespace

std::optional<Multipliers> multipliers_of(const QuantizedGraph& graph, const Node& node) { return std::visit(Visitor{graph, node}, node.op); }

}  // namespace halftone::qgraph
