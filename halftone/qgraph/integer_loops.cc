#include "halftone/qgraph/integer_loops.h"

#include <algorithm>

#include "halftone/qgraph/for_window.h"

namespace halftone::qgraph::integer {
namespace {

// The bound of docs/arithmetic.md section 4 says which Sum holds every partial sum.
template <typename Sum>
std::int64_t dot(const std::int32_t* x, std::int32_t x_zero_point, const std::int32_t* w,
                 std::int64_t count) {
  Sum sum = 0;
  for (std::int64_t k = 0; k < count; ++k)
    sum += static_cast<Sum>(x[k] - x_zero_point) * static_cast<Sum>(w[k]);
  return sum;
}

std::int64_t grouped_dot(const std::int32_t* x, std::int32_t x_zero_point, const Linear& linear,
                         std::int64_t m) {
  const std::int32_t* w = linear.w.data() + m * linear.reduction;
  const std::int64_t blocks = static_cast<std::int64_t>(linear.group_m.size()) / linear.channels;
  std::int64_t sum = 0;
  for (std::int64_t g = 0; g < blocks; ++g) {
    const std::int64_t first = g * linear.group_size;
    const std::int64_t count = std::min(linear.group_size, linear.reduction - first);
    sum += dot<std::int64_t>(x + first, x_zero_point, w + first, count) *
           linear.group_m[static_cast<std::size_t>(m * blocks + g)];
  }
  return sum;
}

std::int64_t linear_sum(const std::int32_t* x, std::int32_t x_zero_point, const Linear& linear,
                        std::int64_t m) {
  const std::int32_t* w = linear.w.data() + m * linear.reduction;
  const std::int64_t bias = linear.bias[static_cast<std::size_t>(m)];
  if (linear.group_size > 0) return bias + grouped_dot(x, x_zero_point, linear, m);
  return bias + (linear.wide ? dot<std::int64_t>(x, x_zero_point, w, linear.reduction)
                             : dot<std::int32_t>(x, x_zero_point, w, linear.reduction));
}

// Elements of x along a dimension of which `axes` counts the places they are spread over.
std::int64_t spread_length(const Conv& conv, std::size_t d) {
  return (conv.axes[d].in + conv.spread[d] - 1) / conv.spread[d];
}

// The inputs one output of a convolution sees, in the order of its weights; z_x where the window is off the
// input.
void gather(const std::int32_t* x, const Conv& conv, std::int64_t depth, std::int64_t oh, std::int64_t ow,
            std::int32_t* patch) {
  const ir::WindowAxis& rows = conv.axes[0];
  const ir::WindowAxis& columns = conv.axes[1];
  const std::int64_t real_rows = spread_length(conv, 0);
  const std::int64_t real_columns = spread_length(conv, 1);
  for (std::int64_t c = 0; c < depth; ++c)
    for (std::int64_t kh = 0; kh < rows.kernel; ++kh)
      for (std::int64_t kw = 0; kw < columns.kernel; ++kw) {
        const std::int64_t ih = oh * rows.stride - rows.pad_begin + kh * rows.dilation;
        const std::int64_t iw = ow * columns.stride - columns.pad_begin + kw * columns.dilation;
        const bool inside = ih >= 0 && ih < rows.in && iw >= 0 && iw < columns.in &&
                            ih % conv.spread[0] == 0 && iw % conv.spread[1] == 0;
        *patch++ = inside ? x[(c * real_rows + ih / conv.spread[0]) * real_columns + iw / conv.spread[1]]
                          : conv.x_zero_point;
      }
}

std::int32_t requantize_one(std::int64_t acc, const Requantizer& r, std::size_t entry) {
  if (r.mode == numeric::Arithmetic::fixed)
    return numeric::requantize_fixed(acc, r.m[entry], r.shift[entry], r.bounds, r.rounding);
  return numeric::requantize_shift(acc, r.shift[entry], r.bounds, r.rounding);
}

}  // namespace

void gemm(std::span<const std::int32_t> x, std::int32_t x_zero_point, const Linear& linear,
          std::span<std::int64_t> acc) {
  for (std::size_t i = 0; i < acc.size(); ++i) {
    const std::int64_t n = static_cast<std::int64_t>(i) / linear.channels;
    acc[i] = linear_sum(x.data() + n * linear.reduction, x_zero_point, linear,
                        static_cast<std::int64_t>(i) % linear.channels);
  }
}

void conv(std::span<const std::int32_t> x, std::int64_t batch, const Conv& conv,
          std::span<std::int64_t> acc) {
  const ir::WindowAxis& rows = conv.axes[0];
  const ir::WindowAxis& columns = conv.axes[1];
  const std::int64_t depth = conv.linear.reduction / (rows.kernel * columns.kernel);
  const std::int64_t channels = conv.linear.channels / conv.groups;
  const std::int64_t area = rows.out * columns.out;
  std::vector<std::int32_t> patch(static_cast<std::size_t>(conv.linear.reduction));
  for (std::int64_t n = 0; n < batch; ++n)
    for (std::int64_t g = 0; g < conv.groups; ++g)
      for (std::int64_t o = 0; o < area; ++o) {
        const std::int32_t* image =
            x.data() + (n * conv.groups + g) * depth * spread_length(conv, 0) * spread_length(conv, 1);
        gather(image, conv, depth, o / columns.out, o % columns.out, patch.data());
        for (std::int64_t m = g * channels; m < (g + 1) * channels; ++m)
          acc[static_cast<std::size_t>((n * conv.linear.channels + m) * area + o)] =
              linear_sum(patch.data(), conv.x_zero_point, conv.linear, m);
      }
}

void max_pool(std::span<const std::int32_t> x, std::int64_t planes, std::span<const ir::WindowAxis> axes,
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
    acc[i] = add.requantizer.m[0] * left + add.requantizer.m[1] * right;
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
  const std::size_t entries = std::max<std::size_t>(1, requantizer.shift.size());
  for (std::size_t i = 0; i < acc.size(); ++i)
    y[i] = requantize_one(acc[i], requantizer, i / static_cast<std::size_t>(inner) % entries);
}

void requantize_by_entry(std::span<const std::int64_t> acc, std::span<const std::int32_t> entry,
                         const Requantizer& requantizer, std::span<std::int32_t> y) {
  for (std::size_t i = 0; i < acc.size(); ++i)
    y[i] = requantize_one(acc[i], requantizer, static_cast<std::size_t>(entry[i]));
}

}  // namespace halftone::qgraph::integer
