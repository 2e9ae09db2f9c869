#include "halftone/lower/integer_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "halftone/ir/moves.h"
#include "halftone/ir/one_variable.h"

namespace halftone::lower {
namespace {

using qgraph::FloatCause;
using Operands = std::span<const Operand>;

IntegerForm stays_float(qgraph::FloatReason reason) { return {Role::floating, std::move(reason)}; }
const IntegerForm kCompute{Role::compute, {}};
const IntegerForm kMove{Role::move, {}};

template <typename T>
constexpr bool kIsPair = std::is_same_v<T, ir::Add> || std::is_same_v<T, ir::Sub> || std::is_same_v<T, ir::Mul>;

template <typename T>
constexpr bool kIsMean = std::is_same_v<T, ir::AveragePool> || std::is_same_v<T, ir::GlobalAveragePool>;

template <typename T>
constexpr bool kIsJoin = std::is_same_v<T, ir::Concat> || std::is_same_v<T, ir::Min> || std::is_same_v<T, ir::Max>;

bool has_plane(const Shape& x) { return x.size() == 3 || x.size() == 4; }
IntegerForm no_plane(const Shape& x) { return stays_float(fmt::format("its input has shape {}", to_string(x))); }

bool has_bias(Operands in) { return in.size() > 2 && !in[2].is_absent; }

std::int64_t output_channels(const ir::Op& op, const Shape& w) {
  const auto* transpose = std::get_if<ir::ConvTranspose>(&op);
  return w[static_cast<std::size_t>(ir::weight_axis(op))] * (transpose != nullptr ? transpose->groups : 1);
}

IntegerForm linear_form(const ir::Op& op, Operands in) {
  if (in[0].is_constant) return stays_float("its input is a constant");
  const Shape& w = in[1].shape;
  if (!in[1].is_constant) return stays_float({"its weights are not constants", FloatCause::not_constant});
  const bool conv = std::holds_alternative<ir::Conv>(op) || std::holds_alternative<ir::ConvTranspose>(op);
  if (!conv && w.size() != 2) return stays_float("its weights are not a matrix");
  if (has_bias(in) && (!in[2].is_constant || !ir::is_channel_bias(in[2].shape, output_channels(op, w))))
    return stays_float("its bias is not one constant a channel");
  if (const auto* gemm = std::get_if<ir::Gemm>(&op)) {
    if (gemm->trans_a) return stays_float("transA is set");
    if (gemm->alpha != 1.0F || (has_bias(in) && gemm->beta != 1.0F)) return stays_float("alpha or beta is not 1");
  }
  return {Role::linear, {}};
}

IntegerForm move_form(Operands in) {
  if (in.size() > 1 && !in[1].is_constant) return stays_float("its places are computed");
  return kMove;
}

// A function of one variable, where one operand is a constant of one number, or one a channel.
bool is_one_variable(const ir::Op& op, Operands in) {
  if (!ir::takes_constant(op) || in.size() != 2) return false;
  const Tensor* const constants[] = {in[0].real, in[1].real};
  return ir::one_variable(op, constants, in[in[0].is_constant ? 1 : 0].shape).has_value();
}

template <typename T>
IntegerForm form_of(const T& op, Operands in) {
  const bool any_constant = std::ranges::any_of(in, &Operand::is_constant);
  if constexpr (kIsPair<T>) {
    return any_constant ? stays_float("one operand is a constant, and not one number a channel") : kCompute;
  } else if constexpr (kIsMean<T> || std::is_same_v<T, ir::GlobalMaxPool>) {
    if (!has_plane(in[0].shape)) return no_plane(in[0].shape);
    return kIsMean<T> ? kCompute : kMove;
  } else if constexpr (std::is_same_v<T, ir::MaxPool>) {
    return op.with_indices ? stays_float("its indices are read") : kMove;
  } else if constexpr (std::is_same_v<T, ir::Resize>) {
    return stays_float("it interpolates");
  } else if constexpr (std::is_same_v<T, ir::Pad>) {
    return op.mode == ir::PadMode::constant && !std::isfinite(static_cast<float>(op.value))
               ? stays_float("it pads with a value that is not finite")
               : kMove;
  } else if constexpr (kIsJoin<T>) {
    if (!any_constant) return kMove;
    return stays_float(std::is_same_v<T, ir::Concat> ? "it joins a constant" : "one operand is a constant");
  } else if constexpr (std::is_same_v<T, ir::PRelu>) {
    return stays_float("its slopes are not one constant number, or one a channel");
  } else if constexpr (ir::Unary<T>) {
    return {Role::table, {}};
  } else if constexpr (std::is_same_v<T, ir::QuantizeLinear> || std::is_same_v<T, ir::DequantizeLinear>) {
    return stays_float("the network is quantized already");
  } else {
    return stays_float(fmt::format("{} has no integer form", T::kName));
  }
}

}  // namespace

IntegerForm integer_form(const ir::Op& op, std::span<const Operand> inputs) {
  if (ir::is_linear(op)) return linear_form(op, inputs);
  if (ir::only_moves(op)) return move_form(inputs);
  if (is_one_variable(op, inputs)) return {Role::table, {}};
  return std::visit([&](const auto& o) { return form_of(o, inputs); }, op);
}

bool takes_bounds(const ir::Op& op) {
  return ir::is_linear(op) || std::visit([]<typename T>(const T&) { return kIsPair<T> || kIsMean<T>; }, op);
}

bool is_join(const ir::Op& op) {
  return std::visit([]<typename T>(const T&) { return kIsJoin<T>; }, op);
}

}  // namespace halftone::lower
