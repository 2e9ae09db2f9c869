#include "halftone/lower/linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "halftone/base/error.h"
#include "halftone/lower/make_linear.h"
#include "halftone/numeric/bias.h"

namespace halftone::lower {
namespace {

ConstantOperand channels_first(const ConstantOperand& weights) {
  ConstantOperand result = weights;
  const std::int64_t rows = weights.q.dim(0);
  const std::int64_t columns = weights.q.dim(1);
  result.q = Tensor(weights.q.dtype(), {columns, rows});
  const std::size_t size = size_of(weights.q.dtype());
  const std::byte* in = weights.q.bytes().data();
  std::byte* out = result.q.mutable_bytes().data();
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      std::copy_n(in + static_cast<std::size_t>(r * columns + c) * size, size,
                  out + static_cast<std::size_t>(c * rows + r) * size);
  if (result.params.axis >= 0) result.params.axis = 0;
  return result;
}

// Weights [C, M/G, k…] of a ConvTranspose as those of the Conv that computes the same: [M, C/G, k…] with the
// kernel's elements in reverse.
ConstantOperand turned_around(const ConstantOperand& weights, std::int64_t groups) {
  ConstantOperand result = weights;
  const std::int64_t depth = weights.q.dim(0) / groups;  // C/G
  const std::int64_t channels = weights.q.dim(1);        // M/G
  const std::int64_t taps = product(weights.q.shape(), 2, weights.q.rank());
  Shape shape = weights.q.shape();
  shape[0] = channels * groups;
  shape[1] = depth;
  const std::vector<std::int32_t> in = numeric::to_int32(weights.q);
  std::vector<std::int32_t> out;
  out.reserve(in.size());
  for (std::int64_t m = 0; m < channels * groups; ++m)
    for (std::int64_t c = 0; c < depth; ++c)
      for (std::int64_t t = taps; t-- > 0;)
        out.push_back(
            in[static_cast<std::size_t>(((m / channels * depth + c) * channels + m % channels) * taps + t)]);
  result.q = numeric::from_int32(shape, out, weights.q.dtype());
  if (result.params.axis < 0) return result;
  result.params.axis = 0;
  const std::vector<numeric::Affine> of_group = result.params.affine;
  for (std::int64_t g = 1; g < groups; ++g)
    result.params.affine.insert(result.params.affine.end(), of_group.begin(), of_group.end());
  return result;
}

constexpr int kMostBiasShift = 47;

// The k with s_b = 2^k·s_x·s_w.
int bias_shift(float s_b, double expected, std::size_t channel, const std::string& name) {
  const double ratio = s_b / expected;
  const int k = ratio > 0x1p-1 ? static_cast<int>(std::lround(std::log2(std::min(ratio, 0x1p60)))) : 0;
  if (std::fabs(std::ldexp(ratio, -k) - 1.0) > 0x1p-22 || k < 0 || k > kMostBiasShift)
    throw InputError(name, fmt::format("bias scale of channel {}, got {}, expected s_x*s_w = {}, or a power of two from 1 "
                                       "times it",
                                       channel, s_b, expected));
  return k;
}

struct IntegerBias {
  std::vector<std::int64_t> q;
  std::vector<int> shift;  // empty: none
};

// One for each channel. docs/arithmetic.md section 5: imported integers are never changed.
IntegerBias integer_bias(const FusedOp& f, const numeric::QuantParams& w, std::int64_t channels) {
  const auto scale_of = [&](std::size_t c) { return w.affine[w.affine.size() == 1 ? 0 : c].scale; };
  const float s_x = f.x[0].affine.scale;
  IntegerBias result;
  const std::span<const float> real = f.real_bias ? f.real_bias->data<float>() : std::span<const float>();
  for (std::size_t c = 0; c < real.size(); ++c) {
    result.q.push_back(numeric::quantize_bias(real[c], s_x, scale_of(c)));
    if (std::llabs(result.q.back()) > numeric::kMaxBias)
      throw InputError(
          f.name, fmt::format("bias of channel {} is {} steps, expected at most 2^30", c, result.q.back()));
  }
  if (!f.bias) return result;
  const std::vector<std::int32_t> q = numeric::to_int32(f.bias->q);
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
    const float s_b = f.bias->params.affine[f.bias->params.affine.size() == 1 ? 0 : c].scale;
    const double expected = static_cast<double>(s_x) * static_cast<double>(scale_of(c));
    result.shift.push_back(bias_shift(s_b, expected, c, f.name));
    result.q.push_back(q[c]);
  }
  return result;
}

std::vector<float> real_bias(const FusedOp& f) {
  if (!f.real_bias) return {};
  const auto real = f.real_bias->data<float>();
  return {real.begin(), real.end()};
}

// Weights that a file looks up in a table, by their places in it: the first that holds each.
Tensor places_in(const std::vector<std::int32_t>& table, const Tensor& q) {
  std::map<std::int32_t, std::int32_t> place;
  for (std::size_t i = 0; i < table.size(); ++i) place.try_emplace(table[i], static_cast<std::int32_t>(i));
  std::vector<std::int32_t> places = numeric::to_int32(q);
  for (std::int32_t& entry : places) entry = place.at(entry);
  const int bits = std::max(1, static_cast<int>(std::bit_width(table.size() - 1)));
  return numeric::from_int32(q.shape(), places, numeric::storage_dtype({bits, false, false}));
}

// The file's table, if it is a codebook: no zero point moves its entries, and each fits int16.
std::vector<std::int32_t> codebook_of(const FusedOp& f) {
  const auto moves = [](const numeric::Affine& affine) { return affine.zero_point != 0; };
  const auto fits = [](std::int32_t entry) { return entry >= INT16_MIN && entry <= INT16_MAX; };
  const bool is_codebook = f.codebook.size() <= 65536 && std::ranges::none_of(f.weights->params.affine, moves) && std::ranges::all_of(f.codebook, fits);
  return is_codebook ? f.codebook : std::vector<std::int32_t>{};
}

qgraph::Linear make_linear_of(const FusedOp& f) {
  const auto* transpose = std::get_if<ir::ConvTranspose>(&f.op);
  const ConstantOperand weights = transpose != nullptr         ? turned_around(*f.weights, transpose->groups)
                                  : ir::weight_axis(f.op) == 1 ? channels_first(*f.weights)
                                                               : *f.weights;
  const numeric::OutputBounds bounds = output_bounds(f);
  const bool groups = weights.params.granularity == numeric::Granularity::group;
  if (groups && (f.bias || transpose != nullptr))
    throw UnsupportedError(f.name, transpose != nullptr ? "weights by group of a ConvTranspose, expected by tensor or channel"
                                                        : "an integer bias with weights by group, expected a float one");
  const std::vector<std::int32_t> codebook = codebook_of(f);
  const IntegerBias bias = groups ? IntegerBias{} : integer_bias(f, weights.params, weights.q.dim(0));
  return make_linear({.name = f.name,
                      .x = f.x[0],
                      .q_w = codebook.empty() ? weights.q : places_in(codebook, weights.q),
                      .w = weights.params,
                      .codebook = codebook,
                      .q_b = bias.q,
                      .b_shift = bias.shift,
                      .b = groups ? real_bias(f) : std::vector<float>{},
                      .y = f.y,
                      .lo = bounds.lo,
                      .hi = bounds.hi,
                      .arithmetic = f.arithmetic});
}

qgraph::Op make_conv(const FusedOp& f, const ir::Conv& op) {
  qgraph::Conv conv{.linear = make_linear_of(f), .x_zero_point = f.x[0].affine.zero_point, .groups = op.groups};
  conv.axes = ir::resolve_plane(ir::kernel_window(op, f.weights->q.shape()), f.x_shape, f.name);
  return conv;
}

// y[o] = Σ_t x̃[o − (kernel − 1)·dilation + pad + t·dilation]·w[kernel − 1 − t], x̃ the spread input.
qgraph::Op make_conv_transpose(const FusedOp& f, const ir::ConvTranspose& op) {
  qgraph::Conv conv{.linear = make_linear_of(f), .x_zero_point = f.x[0].affine.zero_point, .groups = op.groups};
  conv.transposed = true;
  conv.axes = ir::as_plane(ir::transpose_axes(op, f.x_shape, f.weights->q.shape()));
  for (std::size_t d = 0; d < 2; ++d) {
    ir::WindowAxis& axis = conv.axes[d];
    conv.spread[d] = axis.stride;
    axis.in = (axis.in - 1) * axis.stride + 1;
    axis.stride = 1;
    axis.pad_begin = (axis.kernel - 1) * axis.dilation - axis.pad_begin;
    axis.pad_end = axis.out - 1 + (axis.kernel - 1) * axis.dilation - axis.pad_begin - (axis.in - 1);
  }
  return conv;
}

}  // namespace

qgraph::FloatReason why_not_linear(const FusedOp& f) {
  if (!f.weights) return {"its weights are not quantized constants", qgraph::FloatCause::not_quantized};
  const ConstantOperand& w = *f.weights;
  if (w.params.axis >= 0 && w.params.axis != ir::weight_axis(f.op))
    return fmt::format("its weights are quantized along axis {}", w.params.axis);
  const bool conv = std::holds_alternative<ir::Conv>(f.op) || std::holds_alternative<ir::ConvTranspose>(f.op);
  if (conv && f.x_shape.size() != 3 && f.x_shape.size() != 4) return fmt::format("its input has shape {}", to_string(f.x_shape));
  const DType bias = f.bias ? memory_dtype(f.bias->q.dtype()) : DType::int32;
  if (bias != DType::int32 && bias != DType::int16 && bias != DType::int8)
    return fmt::format("its bias is {}, expected signed integers of 32 bits or fewer", name_of(f.bias->q.dtype()));
  return {};
}

std::optional<qgraph::RoundedBias> rounded_bias(const FusedOp& f, const qgraph::Op& op) {
  constexpr double kFloatRounding = 0x1p-22;  // the product of two scales may be rounded in the file
  const auto* gemm = std::get_if<qgraph::Gemm>(&op);
  const auto* conv = std::get_if<qgraph::Conv>(&op);
  if (!f.real_bias || (gemm == nullptr && conv == nullptr)) return std::nullopt;
  const qgraph::Linear& linear = gemm != nullptr ? gemm->linear : conv->linear;
  if (linear.group_size > 0) return std::nullopt;
  qgraph::RoundedBias result{.layer = f.name};
  bool changed = false;
  const auto file = f.real_bias->data<float>();
  for (std::size_t c = 0; c < file.size(); ++c) {
    const double step = static_cast<double>(f.x[0].affine.scale) *
                        static_cast<double>(linear.w_params.affine[linear.w_params.affine.size() == 1 ? 0 : c].scale);
    const double real = static_cast<double>(linear.bias[c]) * step;
    const double change = std::fabs(real - static_cast<double>(file[c]));
    const bool moved = change > kFloatRounding * std::fabs(real);
    result.real.push_back(moved ? static_cast<float>(real) : file[c]);
    if (!moved) continue;
    changed = true;
    result.most = std::max(result.most, change);
    result.most_steps = std::max(result.most_steps, change / step);
  }
  return changed ? std::optional(std::move(result)) : std::nullopt;
}

qgraph::Op lower_linear(const FusedOp& f) {
  if (const auto* conv = std::get_if<ir::Conv>(&f.op)) return make_conv(f, *conv);
  if (const auto* transpose = std::get_if<ir::ConvTranspose>(&f.op)) return make_conv_transpose(f, *transpose);
  return qgraph::Gemm{.linear = make_linear_of(f), .x_zero_point = f.x[0].affine.zero_point};
}

}  // namespace halftone::lower
