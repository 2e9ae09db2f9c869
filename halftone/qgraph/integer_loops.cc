#include "halftone/qgraph/integer_loops.h"

#include <algorithm>

#include "halftone/qgraph/for_window.h"

namespace halftone::qgraph::integer {
namespace {

// x less its zero point, and weights, as the type of which products are taken.
template <typename Operand>
std::vector<Operand> operands(std::span<const std::int32_t> values, std::int32_t zero_point) {
  std::vector<Operand> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = static_cast<Operand>(values[i] - zero_point);
  return result;
}

bool fit_16_bits(std::span<const std::int32_t> values, std::int32_t zero_point) {
  return std::ranges::all_of(values, [&](std::int32_t v) {
    return v - zero_point >= INT16_MIN && v - zero_point <= INT16_MAX;
  });
}

// Calls loops(Operand{}, Sum{}). The bound of docs/arithmetic.md section 4 says which Sum holds every partial sum;
// of operands of 16 bits a compiler multiplies several at a time on every machine.
template <typename Loops>
void with_types(std::span<const std::int32_t> x, std::int32_t x_zero_point, const Linear& linear,
                std::span<const std::int32_t> w, const Loops& loops) {
  if (linear.wide || linear.group_size > 0) return loops(std::int32_t{}, std::int64_t{});
  if (fit_16_bits(x, x_zero_point) && fit_16_bits(w, 0)) return loops(std::int16_t{}, std::int32_t{});
  loops(std::int32_t{}, std::int32_t{});
}

template <typename Sum, typename Operand>
Sum dot(const Operand* x, const Operand* w, std::int64_t count) {
  Sum sum = 0;
  for (std::int64_t k = 0; k < count; ++k) sum += static_cast<Sum>(x[k]) * static_cast<Sum>(w[k]);
  return sum;
}

template <typename Operand>
std::int64_t grouped_dot(const Operand* x, const Operand* w, const Linear& linear, std::int64_t m) {
  const std::int64_t blocks = static_cast<std::int64_t>(linear.group_m.size()) / linear.channels;
  std::int64_t sum = 0;
  for (std::int64_t g = 0; g < blocks; ++g) {
    const std::int64_t first = g * linear.group_size;
    const std::int64_t count = std::min(linear.group_size, linear.reduction - first);
    sum += dot<std::int64_t>(x + first, w + first, count) *
           linear.group_m[static_cast<std::size_t>(m * blocks + g)];
  }
  return sum;
}

// The sum of channel m, whose weights start at w.
template <typename Sum, typename Operand>
std::int64_t linear_sum(const Operand* x, const Operand* w, const Linear& linear, std::int64_t m) {
  const std::int64_t bias = linear.bias[static_cast<std::size_t>(m)];
  if (linear.group_size > 0) return bias + grouped_dot(x, w, linear, m);
  return bias + dot<Sum>(x, w, linear.reduction);
}

// Elements of x along a dimension of which `axes` counts the places they are spread over.
std::int64_t spread_length(const Conv& conv, std::size_t d) {
  return (conv.axes[d].in + conv.spread[d] - 1) / conv.spread[d];
}

// Where window element k of output position `at` lies along dimension d of x; -1 off it.
std::int64_t place_along(const Conv& conv, std::size_t d, std::int64_t at, std::int64_t k) {
  const ir::WindowAxis& axis = conv.axes[d];
  const std::int64_t i = at * axis.stride - axis.pad_begin + k * axis.dilation;
  return i >= 0 && i < axis.in && i % conv.spread[d] == 0 ? i / conv.spread[d] : -1;
}

// The places in a plane of x that output (oh, ow) sees, in the order of its weights; -1 where the window is off x.
void find_places(const Conv& conv, std::int64_t oh, std::int64_t ow, std::span<std::int64_t> places) {
  std::size_t next = 0;
  for (std::int64_t kh = 0; kh < conv.axes[0].kernel; ++kh)
    for (std::int64_t kw = 0; kw < conv.axes[1].kernel; ++kw) {
      const std::int64_t row = place_along(conv, 0, oh, kh);
      const std::int64_t column = place_along(conv, 1, ow, kw);
      places[next++] = row < 0 || column < 0 ? -1 : row * spread_length(conv, 1) + column;
    }
}

// The inputs of one output, plane after plane.
template <typename Operand>
void gather(const Operand* planes, std::int64_t plane_size, std::span<const std::int64_t> places,
            std::span<Operand> patch) {
  for (std::size_t i = 0; i < patch.size(); planes += plane_size)
    for (const std::int64_t place : places) patch[i++] = place < 0 ? Operand{0} : planes[place];
}

template <typename Sum, typename Operand>
void conv_sums(std::span<const Operand> x, std::int64_t batch, const Conv& conv, std::span<const Operand> w,
               std::span<std::int64_t> acc) {
  const Linear& linear = conv.linear;
  std::vector<std::int64_t> places(static_cast<std::size_t>(conv.axes[0].kernel * conv.axes[1].kernel));
  std::vector<Operand> patch(static_cast<std::size_t>(linear.reduction));
  const std::int64_t plane_size = spread_length(conv, 0) * spread_length(conv, 1);
  const std::int64_t group_size = linear.reduction / static_cast<std::int64_t>(places.size()) * plane_size;
  const std::int64_t channels = linear.channels / conv.groups;
  const std::int64_t area = conv.axes[0].out * conv.axes[1].out;
  for (std::int64_t n = 0; n < batch; ++n)
    for (std::int64_t o = 0; o < area; ++o) {
      find_places(conv, o / conv.axes[1].out, o % conv.axes[1].out, places);
      for (std::int64_t m = 0; m < linear.channels; ++m) {
        if (m % channels == 0)
          gather<Operand>(x.data() + (n * conv.groups + m / channels) * group_size, plane_size, places, patch);
        acc[static_cast<std::size_t>((n * linear.channels + m) * area + o)] =
            linear_sum<Sum>(patch.data(), w.data() + m * linear.reduction, linear, m);
      }
    }
}

// Calls body(entries, scale_one) with what brings one accumulator to its integer, scale_one(acc, entry).
template <typename Body>
void with_scaling(const Requantizer& r, Body body) {
  if (const auto* multiply = std::get_if<MultiplyShift>(&r.scaling))
    return body(multiply->shift.size(), [&, multiply](std::int64_t acc, std::size_t entry) {
      return numeric::requantize_fixed(acc, multiply->m[entry], multiply->shift[entry], r.bounds, r.rounding);
    });
  if (const auto* shift = std::get_if<Shift>(&r.scaling))
    body(shift->shift.size(), [&, shift](std::int64_t acc, std::size_t entry) {
      return numeric::requantize_shift(acc, shift->shift[entry], r.bounds, r.rounding);
    });
}

}  // namespace

void gemm(std::span<const std::int32_t> x, std::int32_t x_zero_point, const Linear& linear, std::span<const std::int32_t> w,
          std::span<std::int64_t> acc) {
  with_types(x, x_zero_point, linear, w, [&]<typename Operand, typename Sum>(Operand, Sum) {
    const std::vector<Operand> centred = operands<Operand>(x, x_zero_point);
    const std::vector<Operand> weights = operands<Operand>(w, 0);
    for (std::size_t i = 0; i < acc.size(); ++i) {
      const std::int64_t n = static_cast<std::int64_t>(i) / linear.channels;
      const std::int64_t m = static_cast<std::int64_t>(i) % linear.channels;
      acc[i] = linear_sum<Sum>(centred.data() + n * linear.reduction, weights.data() + m * linear.reduction, linear, m);
    }
  });
}

void conv(std::span<const std::int32_t> x, std::int64_t batch, const Conv& conv, std::span<const std::int32_t> w,
          std::span<std::int64_t> acc) {
  with_types(x, conv.x_zero_point, conv.linear, w, [&]<typename Operand, typename Sum>(Operand, Sum) {
    conv_sums<Sum, Operand>(operands<Operand>(x, conv.x_zero_point), batch, conv, operands<Operand>(w, 0), acc);
  });
}

void max_pool(std::span<const std::int32_t> x, std::int64_t planes, const ir::PlaneAxes& axes,
              std::span<std::int32_t> y) {
  const std::int64_t area = axes[0].out * axes[1].out;
  for (std::int64_t i = 0; i < planes * area; ++i) {
    const std::int32_t* plane = x.data() + i / area * axes[0].in * axes[1].in;
    std::int32_t best = INT32_MIN;
    for_window(axes, i % area / axes[1].out, i % axes[1].out,
               [&](std::int64_t at) { best = std::max(best, plane[at]); });
    y[static_cast<std::size_t>(i)] = best;
  }
}

void average_pool(std::span<const std::int32_t> x, std::int64_t planes, const AveragePool& pool,
                  std::span<std::int64_t> acc, std::span<std::int32_t> entry) {
  const auto& axes = pool.axes;
  const std::int64_t area = axes[0].out * axes[1].out;
  for (std::int64_t i = 0; i < planes * area; ++i) {
    const std::int32_t* plane = x.data() + i / area * axes[0].in * axes[1].in;
    const std::int64_t oh = i % area / axes[1].out;
    const std::int64_t ow = i % axes[1].out;
    std::int64_t sum = 0;
    for_window(axes, oh, ow, [&](std::int64_t at) { sum += plane[at] - pool.x.zero_point; });
    const std::int64_t count = ir::window_count(axes[0], oh, pool.count_include_pad) *
                               ir::window_count(axes[1], ow, pool.count_include_pad);
    acc[static_cast<std::size_t>(i)] = sum;
    entry[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(
        std::lower_bound(pool.counts.begin(), pool.counts.end(), count) - pool.counts.begin());
  }
}

void add(std::span<const std::int32_t> a, std::span<const std::int64_t> index_a,
         std::span<const std::int32_t> b, std::span<const std::int64_t> index_b, const Add& add,
         std::span<std::int64_t> acc) {
  for (std::size_t i = 0; i < acc.size(); ++i) {
    const std::int64_t left = a[static_cast<std::size_t>(index_a[i])] - add.a.zero_point;
    const std::int64_t right = b[static_cast<std::size_t>(index_b[i])] - add.b.zero_point;
    acc[i] = add.m_a * left + add.m_b * right;
  }
}

void multiply(std::span<const std::int32_t> a, std::span<const std::int64_t> index_a,
              std::span<const std::int32_t> b, std::span<const std::int64_t> index_b, const Mul& mul,
              std::span<std::int64_t> acc) {
  for (std::size_t i = 0; i < acc.size(); ++i) {
    const std::int64_t left = a[static_cast<std::size_t>(index_a[i])] - mul.a.zero_point;
    const std::int64_t right = b[static_cast<std::size_t>(index_b[i])] - mul.b.zero_point;
    acc[i] = left * right;
  }
}

void table(std::span<const std::int32_t> x, std::int64_t inner, const Table& table,
           std::span<std::int32_t> y) {
  const auto channels = static_cast<std::size_t>(table.channels);
  const std::size_t size = table.entries.size() / channels;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i / static_cast<std::size_t>(inner) % channels;
    y[i] = table.entries[c * size + static_cast<std::size_t>(x[i] - table.x_qmin)];
  }
}

void requantize(std::span<const std::int64_t> acc, std::int64_t inner, const Requantizer& requantizer,
                std::span<std::int32_t> y) {
  with_scaling(requantizer, [&](std::size_t entries, auto scale_one) {
    for (std::size_t i = 0; i < acc.size(); ++i) y[i] = scale_one(acc[i], i / static_cast<std::size_t>(inner) % entries);
  });
}

void requantize_by_entry(std::span<const std::int64_t> acc, std::span<const std::int32_t> entry,
                         const Requantizer& requantizer, std::span<std::int32_t> y) {
  with_scaling(requantizer, [&](std::size_t, auto scale_one) {
    for (std::size_t i = 0; i < acc.size(); ++i) y[i] = scale_one(acc[i], static_cast<std::size_t>(entry[i]));
  });
}

}  // namespace halftone::qgraph::integer
