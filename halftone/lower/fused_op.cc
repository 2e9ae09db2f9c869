#include "halftone/lower/fused_op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <type_traits>

#include "halftone/base/error.h"
#include "halftone/ir/one_variable.h"
#include "halftone/lower/linear.h"
#include "halftone/lower/make_linear.h"
#include "halftone/lower/make_requantizer.h"
#include "halftone/qgraph/onnx_loops.h"

namespace halftone::lower {
namespace {

// The function that changes nothing, for another scale.
struct Same {
  static constexpr std::string_view kName = "Requantize";
};
double scalar(const Same&, double x) { return x; }

// Mode onnx's value of a function.
template <typename Unary>
float float32_value(const Unary& op, float x) {
  return static_cast<float>(scalar(op, x));
}
float float32_value(const ir::Sigmoid&, float x) { return qgraph::onnx::sigmoid(x); }

// An op with one constant operand.
struct WithConstant {
  static constexpr std::string_view kName = "WithConstant";
  const ir::Op& op;
  std::size_t variable;
  double constant;
};
double scalar(const WithConstant& f, double x) { return ir::value_with(f.op, f.variable, x, f.constant); }

// docs/arithmetic.md section 7, "any function of one variable".
template <typename Unary>
qgraph::Table make_table(const FusedOp& f, const Unary& op) {
  const numeric::Affine x = f.x[0].affine;
  const numeric::Affine y = f.y.affine;
  const numeric::OutputBounds bounds = output_bounds(f);
  qgraph::Table table{.function = std::string(Unary::kName), .x_qmin = f.x[0].format.qmin()};
  for (std::int32_t q = f.x[0].format.qmin(); q <= f.x[0].format.qmax(); ++q) {
    if (f.arithmetic.mode == numeric::Arithmetic::onnx) {
      const float value = float32_value(op, numeric::dequantize(q, x));
      table.entries.push_back(numeric::quantize(std::isnan(value) ? 0.0F : value, y, f.y.format));
    } else {
      const double value = scalar(op, static_cast<double>(x.scale) * (q - x.zero_point));
      const double scaled =
          numeric::round_real(value / static_cast<double>(y.scale), f.arithmetic.rounding) + y.zero_point;
      table.entries.push_back(static_cast<std::int32_t>(
          std::isnan(scaled) ? y.zero_point
                             : std::clamp<double>(scaled, f.y.format.qmin(), f.y.format.qmax())));
    }
    table.entries.back() = std::clamp(table.entries.back(), bounds.lo, bounds.hi);
  }
  return table;
}

constexpr std::size_t kMaxTableEntries = std::size_t{1} << 24;

std::string why_no_tables(const FusedOp& f) {
  const Tensor* constant = f.constant ? &*f.constant : nullptr;
  const Tensor* const inputs[] = {f.variable == 0 ? nullptr : constant, f.variable == 0 ? constant : nullptr};
  const auto function = ir::one_variable(f.op, inputs, f.x_shape);
  if (!function) return "its constant is not one number, or one a channel";
  const std::size_t entries = function->constants.size() << f.x[0].format.bits;
  if (entries > kMaxTableEntries)
    return fmt::format("its tables would have {} entries, expected at most {}", entries, kMaxTableEntries);
  return "";
}

// One table for each number of the constant operand.
qgraph::Table make_tables(const FusedOp& f) {
  qgraph::Table tables{.function = std::string(ir::name_of(f.op)), .x_qmin = f.x[0].format.qmin(), .channels = 0};
  for (float constant : f.constant->data<float>()) {
    const qgraph::Table one = make_table(f, WithConstant{f.op, f.variable, constant});
    tables.entries.insert(tables.entries.end(), one.entries.begin(), one.entries.end());
    ++tables.channels;
  }
  return tables;
}

std::vector<std::int64_t> distinct_counts(const ir::PlaneAxes& axes, bool include_pad) {
  std::set<std::int64_t> rows;
  std::set<std::int64_t> columns;
  for (std::int64_t o = 0; o < axes[0].out; ++o) rows.insert(ir::window_count(axes[0], o, include_pad));
  for (std::int64_t o = 0; o < axes[1].out; ++o) columns.insert(ir::window_count(axes[1], o, include_pad));
  std::set<std::int64_t> counts;
  for (std::int64_t r : rows)
    for (std::int64_t c : columns) counts.insert(r * c);
  return {counts.begin(), counts.end()};
}

// Mode onnx: M = s_x/(s_y·count) in float32.
qgraph::Float32 average_in_float(const FusedOp& f, const std::vector<std::int64_t>& counts) {
  const float s_x = f.x[0].affine.scale;
  const float s_y = f.y.affine.scale;
  qgraph::Float32 scaling;
  for (std::int64_t count : counts) {
    scaling.M.push_back(s_x / (s_y * static_cast<float>(count)));
    const float reach = 0x1p17F * static_cast<float>(count) * s_x;
    if (!std::isfinite(scaling.M.back()) || !std::isfinite(reach) || !std::isfinite(reach / s_y))
      throw InputError(f.name, fmt::format("scales {} and {} leave float32", s_x, s_y));
  }
  return scaling;
}

// The mean itself needs a multiplier in mode shift too: 1/count in 16 bits.
qgraph::MultiplyShift average_in_integers(const FusedOp& f, const std::vector<std::int64_t>& counts) {
  const float s_x = f.x[0].affine.scale;
  const float s_y = f.y.affine.scale;
  const bool shift = f.arithmetic.mode == numeric::Arithmetic::shift;
  qgraph::MultiplyShift scaling{.mantissa_bits = shift ? 16 : f.arithmetic.mantissa_bits};
  for (std::int64_t count : counts) {
    const auto n = static_cast<double>(count);
    const double M = shift ? 1.0 / n : static_cast<double>(s_x) / (static_cast<double>(s_y) * n);
    const auto multiplier = numeric::multiplier_from(M, scaling.mantissa_bits);
    scaling.m.push_back(multiplier.m);
    scaling.shift.push_back(multiplier.shift() + (shift ? shift_of(s_x, 1.0F, s_y, f.name) : 0));
  }
  return scaling;
}

qgraph::Op make_average_pool(const FusedOp& f, ir::PlaneAxes axes, bool include_pad) {
  qgraph::AveragePool pool{
      .axes = std::move(axes), .count_include_pad = include_pad, .x = f.x[0].affine, .y = f.y.affine};
  pool.counts = distinct_counts(pool.axes, include_pad);
  const std::int64_t window = pool.axes[0].kernel * pool.axes[1].kernel;
  if (window > INT32_MAX >> (f.x[0].format.bits + 1))
    throw InputError(f.name, fmt::format("average over {} values does not fit an int32 accumulator", window));
  pool.requantizer = {.rounding = f.arithmetic.rounding, .bounds = output_bounds(f)};
  if (f.arithmetic.mode == numeric::Arithmetic::onnx)
    pool.requantizer.scaling = average_in_float(f, pool.counts);
  else
    pool.requantizer.scaling = average_in_integers(f, pool.counts);
  return pool;
}

// The largest |q − z| of a format.
std::int64_t reach_of(const numeric::Grid& x) {
  const std::int64_t z = x.affine.zero_point;
  return std::max(std::abs(x.format.qmin() - z), std::abs(x.format.qmax() - z));
}

qgraph::Op make_mul(const FusedOp& f) {
  const float s_b[] = {f.x[1].affine.scale};
  qgraph::Mul mul{.a = f.x[0].affine, .b = f.x[1].affine, .y = f.y.affine};
  mul.wide = reach_of(f.x[0]) * reach_of(f.x[1]) > INT32_MAX;
  mul.requantizer = make_requantizer(f.arithmetic, mul.a.scale, s_b, mul.y.scale, output_bounds(f), mul.wide, f.name);
  return mul;
}

void expect_float_sum(const FusedOp& f, const qgraph::Add& add) {
  const float reach = 0x1p17F * std::max(add.a.scale, add.b.scale);
  if (!std::isfinite(reach) || !std::isfinite(reach / add.y.scale))
    throw InputError(f.name, fmt::format("scales {}, {} and {} leave float32", add.a.scale, add.b.scale, add.y.scale));
}

// m_a, m_b and the shift that they share.
void set_multipliers(const FusedOp& f, qgraph::Add& add) {
  if (f.arithmetic.mode == numeric::Arithmetic::fixed) {
    const double M[] = {numeric::real_multiplier(add.a.scale, 1.0F, add.y.scale),
                        numeric::real_multiplier(add.b.scale, 1.0F, add.y.scale)};
    const auto shared = numeric::shared_multipliers(M, f.arithmetic.mantissa_bits);
    add.m_a = shared[0].m;
    add.m_b = shared[1].m;
    add.requantizer.scaling = qgraph::Shift{{shared[1].shift()}};
    return;
  }
  const int a = shift_of(add.a.scale, 1.0F, add.y.scale, f.name);
  const int b = shift_of(add.b.scale, 1.0F, add.y.scale, f.name);
  const int finer = std::max(a, b);
  if (finer - std::min(a, b) > 40)
    throw InputError(f.name, "scales of the operands differ by more than 2^40");
  add.m_a = std::int64_t{1} << (finer - a);
  add.m_b = std::int64_t{1} << (finer - b);
  add.requantizer.scaling = qgraph::Shift{{finer}};
}

qgraph::Add make_sum(const FusedOp& f) {
  qgraph::Add add{.a = f.x[0].affine, .b = f.x[1].affine, .y = f.y.affine};
  add.requantizer = {.scaling = qgraph::Float32{}, .rounding = f.arithmetic.rounding, .bounds = output_bounds(f)};
  if (f.arithmetic.mode == numeric::Arithmetic::onnx)
    expect_float_sum(f, add);
  else
    set_multipliers(f, add);
  return add;
}

qgraph::Op make_difference(const FusedOp& f) {
  qgraph::Add add = make_sum(f);
  add.subtract = true;
  add.m_b = -add.m_b;
  return add;
}

}  // namespace

numeric::OutputBounds output_bounds(const FusedOp& f) {
  numeric::OutputBounds bounds{f.y.affine.zero_point, f.y.format.qmin(), f.y.format.qmax()};
  fold_clip(f.lo, f.hi, f.y, bounds.lo, bounds.hi, f.arithmetic.rounding);
  return bounds;
}

qgraph::FloatReason why_not_integer(const FusedOp& f) {
  if (ir::is_linear(f.op)) return why_not_linear(f);
  if (f.constant) return why_no_tables(f);
  const bool pair = std::holds_alternative<ir::Add>(f.op) || std::holds_alternative<ir::Sub>(f.op) || std::holds_alternative<ir::Mul>(f.op);
  if (pair && f.x.size() != 2) return {"an operand is not quantized", qgraph::FloatCause::not_quantized};
  return {};
}

qgraph::Op lower_op(const FusedOp& f) {
  if (f.constant) return make_tables(f);
  if (ir::is_linear(f.op)) return lower_linear(f);
  return std::visit(
      [&](const auto& op) -> qgraph::Op {
        using T = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<T, ir::Add>) {
          return make_sum(f);
        } else if constexpr (std::is_same_v<T, ir::Sub>) {
          return make_difference(f);
        } else if constexpr (std::is_same_v<T, ir::Mul>) {
          return make_mul(f);
        } else if constexpr (std::is_same_v<T, ir::AveragePool>) {
          return make_average_pool(f, ir::resolve_plane(op.window, f.x_shape, f.name), op.count_include_pad);
        } else if constexpr (std::is_same_v<T, ir::GlobalAveragePool>) {
          const ir::Window whole{.kernel = Shape(f.x_shape.begin() + 2, f.x_shape.end())};
          return make_average_pool(f, ir::resolve_plane(whole, f.x_shape, f.name), false);
        } else if constexpr (ir::Unary<T>) {
          return make_table(f, op);
        } else {
          throw UnsupportedError(f.name, fmt::format("{} has no integer form", T::kName));
        }
      },
      f.op);
}

qgraph::Op make_requantize(const numeric::Grid& x, const numeric::Grid& y,
                   const numeric::ArithmeticSpec& arithmetic, std::string_view where) {
  if (arithmetic.mode == numeric::Arithmetic::onnx)
    return make_table({.name = std::string(where), .x = {x}, .y = y, .arithmetic = arithmetic}, Same{});
  const float one[] = {1.0F};
  const numeric::OutputBounds bounds{y.affine.zero_point, y.format.qmin(), y.format.qmax()};
  return qgraph::Requantize{x.affine.zero_point,
                    make_requantizer(arithmetic, x.affine.scale, one, y.affine.scale, bounds, false, where)};
}

}  // namespace halftone::lower
