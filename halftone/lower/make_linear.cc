#include "halftone/lower/make_linear.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "halftone/base/error.h"
#include "halftone/lower/make_requantizer.h"
#include "halftone/numeric/accumulator.h"
#include "halftone/numeric/rounding.h"

namespace halftone::lower {
namespace {

__extension__ typedef __int128 Wide;
constexpr std::int64_t kMaxGroupSum = std::int64_t{1} << 62;

std::vector<float> scales_of(const numeric::QuantParams& params) {
  std::vector<float> scales;
  for (const numeric::Affine& affine : params.affine) scales.push_back(affine.scale);
  return scales;
}

void add_bias(qgraph::Linear& linear, const LinearSpec& spec) {
  linear.bias.assign(static_cast<std::size_t>(linear.channels), 0);
  for (std::size_t c = 0; c < spec.q_b.size(); ++c) {
    const int shift = spec.b_shift.empty() ? 0 : spec.b_shift[c];
    linear.bias[c] = numeric::round_shift(spec.q_b[c], -shift, numeric::Rounding::floor);
    if (linear.bias[c] > numeric::kMaxAccumulator || linear.bias[c] < -numeric::kMaxAccumulator)
      throw InputError(spec.name,
                       fmt::format("bias of channel {} is {}, expected at most 2^47", c, linear.bias[c]));
  }
}

void bound_accumulators(qgraph::Linear& linear, const LinearSpec& spec) {
  std::vector<std::int32_t> row(static_cast<std::size_t>(linear.reduction));
  for (std::int64_t c = 0; c < linear.channels; ++c) {
    qgraph::centred_row(linear, c, row);
    const std::int64_t bound =
        numeric::accumulator_bound(row, linear.bias[static_cast<std::size_t>(c)], spec.x.format, spec.x.affine.zero_point);
    if (bound > numeric::kMaxAccumulator)
      throw InputError(spec.name,
                       fmt::format("accumulator of channel {} reaches {}, expected at most 2^47", c, bound));
    linear.bound.push_back(bound);
    linear.wide |= bound > std::int64_t{INT32_MAX};
  }
}

// n and m_g of one channel's groups: exact powers of two in mode shift.
std::vector<numeric::Multiplier> group_multipliers(const LinearSpec& spec,
                                                   std::span<const numeric::Affine> groups) {
  std::vector<double> M;
  for (const numeric::Affine& group : groups)
    M.push_back(numeric::real_multiplier(spec.x.affine.scale, group.scale, spec.y.affine.scale));
  if (spec.arithmetic.mode == numeric::Arithmetic::fixed)
    return numeric::shared_multipliers(M, spec.arithmetic.mantissa_bits);
  int n = INT32_MIN;
  for (const numeric::Affine& group : groups)
    n = std::max(n, shift_of(spec.x.affine.scale, group.scale, spec.y.affine.scale, spec.name));
  std::vector<numeric::Multiplier> result;
  for (double each : M) {
    const double m = std::ldexp(each, n);
    if (m >= 0x1p47)
      throw InputError(spec.name, "scales of the groups of one channel differ by more than 2^47");
    result.push_back({static_cast<std::int64_t>(m), n + 1, 0});  // shift() is n
  }
  return result;
}

std::span<const std::int32_t> part_of_group(std::span<const std::int32_t> row, std::int64_t size, std::size_t group) {
  const std::size_t first = group * static_cast<std::size_t>(size);
  return row.subspan(first, std::min(static_cast<std::size_t>(size), row.size() - first));
}

void finish_groups(qgraph::Linear& linear, const LinearSpec& spec) {
  if (spec.arithmetic.mode == numeric::Arithmetic::onnx)
    throw UnsupportedError(spec.name, "weights by group in arithmetic 'onnx', expected 'fixed' or 'shift'");
  linear.group_size = spec.w.group_size;
  linear.wide = true;
  linear.bias.assign(static_cast<std::size_t>(linear.channels), 0);
  qgraph::Shift scaling;
  std::vector<std::int32_t> row(static_cast<std::size_t>(linear.reduction));
  const std::size_t blocks = spec.w.affine.size() / static_cast<std::size_t>(linear.channels);
  for (std::int64_t c = 0; c < linear.channels; ++c) {
    const auto first = static_cast<std::size_t>(c) * blocks;
    const auto multipliers = group_multipliers(spec, std::span(spec.w.affine).subspan(first, blocks));
    const int shift = multipliers.front().shift();
    double bias = 0.0;
    if (!spec.b.empty())
      bias = numeric::round_real(
          std::ldexp(double{spec.b[static_cast<std::size_t>(c)]} / spec.y.affine.scale, shift),
          numeric::Rounding::half_even);
    if (std::fabs(bias) >= 0x1p62)
      throw InputError(spec.name, fmt::format("bias of channel {} is {}, expected less than 2^62", c, bias));
    Wide bound = std::llabs(static_cast<std::int64_t>(bias));
    qgraph::centred_row(linear, c, row);
    for (std::size_t g = 0; g < blocks; ++g) {
      bound +=
          static_cast<Wide>(numeric::accumulator_bound(part_of_group(row, linear.group_size, g), 0, spec.x.format, spec.x.affine.zero_point)) *
          multipliers[g].m;
      linear.group_m.push_back(multipliers[g].m);
    }
    if (bound >= kMaxGroupSum)
      throw InputError(spec.name, fmt::format("sum of channel {}, expected less than 2^62", c));
    linear.bias[static_cast<std::size_t>(c)] = static_cast<std::int64_t>(bias);
    linear.bound.push_back(static_cast<std::int64_t>(bound));
    scaling.shift.push_back(shift);
  }
  linear.requantizer.scaling = std::move(scaling);
}

}  // namespace

qgraph::Linear make_linear(const LinearSpec& spec) {
  qgraph::Linear linear;
  linear.name = spec.name;
  linear.q_w = spec.q_w;
  linear.w_params = spec.w;
  linear.codebook = spec.codebook;
  linear.channels = spec.q_w.dim(0);
  linear.reduction = linear.channels == 0 ? 0 : spec.q_w.size() / linear.channels;
  const numeric::OutputBounds bounds{spec.y.affine.zero_point, spec.lo, spec.hi};
  if (spec.w.granularity == numeric::Granularity::group) {
    linear.requantizer = {.rounding = spec.arithmetic.rounding, .bounds = bounds};
    finish_groups(linear, spec);
    return linear;
  }
  add_bias(linear, spec);
  bound_accumulators(linear, spec);
  if (linear.wide && spec.arithmetic.mode == numeric::Arithmetic::onnx)
    throw InputError(spec.name, "accumulator beyond int32 in arithmetic 'onnx', expected 'fixed' or 'shift'");
  linear.requantizer = make_requantizer(spec.arithmetic, spec.x.affine.scale, scales_of(spec.w), spec.y.affine.scale,
                                        bounds, linear.wide, spec.name);
  return linear;
}

void fold_clip(float lo, float hi, const numeric::Grid& y, std::int32_t& q_lo, std::int32_t& q_hi,
               numeric::Rounding rounding) {
  q_lo = std::max(q_lo, numeric::quantize(lo, y, rounding));
  q_hi = std::min(q_hi, numeric::quantize(hi, y, rounding));
  q_lo = std::min(q_lo, q_hi);
}

}  // namespace halftone::lower
