// Windows over planes that are stored channels last.
#include <algorithm>
#include <array>
#include <cmath>

#include "halftone/engine/requantizations.h"
#include "halftone/engine/steps.h"
#include "halftone/kernels/bytes/bytes.h"

namespace halftone::engine {
namespace {

// Along one dimension, the inputs [first, last) in steps of the dilation that an output's window has inside the plane.
struct Reach {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

Reach reach_of(const ir::WindowAxis& axis, std::int64_t out) {
  const std::int64_t start = out * axis.stride - axis.pad_begin;
  const std::int64_t skipped = start >= 0 ? 0 : (-start + axis.dilation - 1) / axis.dilation;
  const std::int64_t inside = start >= axis.in ? 0 : std::min(axis.kernel, (axis.in - start + axis.dilation - 1) / axis.dilation);
  return {start + skipped * axis.dilation, start + std::max(skipped, inside) * axis.dilation};
}

// Calls each(place of an input pixel) for the window of one output.
template <typename F>
void for_pixels(const ir::PlaneAxes& axes, const Layout& x, std::int64_t image, std::int64_t row, std::int64_t column, F&& each) {
  const Reach rows = reach_of(axes[0], row);
  const Reach columns = reach_of(axes[1], column);
  for (std::int64_t r = rows.first; r < rows.last; r += axes[0].dilation)
    for (std::int64_t c = columns.first; c < columns.last; c += axes[1].dilation) each(x.place(image, r, c));
}

template <typename F>
void for_outputs(const Layout& y, std::int64_t samples, F&& each) {
  for (std::int64_t image = 0; image < samples * y.images(); ++image)
    for (std::int64_t r = 0; r < y.rows(); ++r)
      for (std::int64_t c = 0; c < y.columns(); ++c) each(image, r, c);
}

// Mode onnx where the window is not the input: the mean of reals, added row by row. docs/arithmetic.md section 7.
struct RealMean {
  numeric::Affine x;
  numeric::Affine y;
  numeric::OutputBounds bounds;  // stored
  std::int32_t base = 0;

  std::int32_t operator()(float sum, std::int64_t count) const {
    const float mean = sum / static_cast<float>(count);
    const double q = std::nearbyint(static_cast<double>(mean / y.scale + static_cast<float>(y.zero_point))) - base;
    return static_cast<std::int32_t>(std::clamp<double>(q, bounds.lo, bounds.hi));
  }
};

bool covers_input(const ir::PlaneAxes& axes) {
  return std::ranges::all_of(axes, [](const ir::WindowAxis& a) { return a.kernel == a.in && a.pad_begin == 0 && a.pad_end == 0; });
}

std::int64_t count_at(const qgraph::AveragePool& op, std::int64_t row, std::int64_t column) {
  return ir::window_count(op.axes[0], row, op.count_include_pad) * ir::window_count(op.axes[1], column, op.count_include_pad);
}

Work real_average_step(const qgraph::AveragePool& op, SlotPointer x, SlotPointer y, const RealMean& mean) {
  return [op, x, y, mean](const Memory& memory) {
    with_type(x->layout, [&]<typename X>(X) {
      with_type(y->layout, [&]<typename Y>(Y) {
        for_outputs(y->layout, memory.samples, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
          for (std::int64_t k = 0; k < y->layout.channels(); ++k) {
            float sum = 0.0F;
            for_pixels(op.axes, x->layout, image, r, c, [&](std::int64_t place) {
              sum += numeric::dequantize(static_cast<std::int32_t>(x->read<X>(memory)[place + k]) + x->layout.base, mean.x);
            });
            y->write<Y>(memory)[y->layout.place(image, r, c) + k] = static_cast<Y>(mean(sum, count_at(op, r, c)));
          }
        });
      });
    });
  };
}

constexpr std::size_t kMostRows = 16;

// A window's pixels, so many at a time; the result so far is one of them.
Work byte_max_pool_step(const qgraph::MaxPool& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  return [axes = op.axes, x, y, largest = kernels::byte_loops(isa).largest](const Memory& memory) {
    const std::int64_t channels = y->layout.channels();
    const auto* from = x->read<std::uint8_t>(memory);
    for_outputs(y->layout, memory.samples, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
      std::uint8_t* to = y->write<std::uint8_t>(memory) + y->layout.place(image, r, c);
      std::array<const std::uint8_t*, kMostRows> rows;
      std::size_t count = 0;
      for_pixels(axes, x->layout, image, r, c, [&](std::int64_t place) {
        rows[count++] = from + place;
        if (count < kMostRows) return;
        largest(rows.data(), static_cast<std::int64_t>(count), to, channels);
        rows[0] = to;
        count = 1;
      });
      largest(rows.data(), static_cast<std::int64_t>(count), to, channels);
    });
  };
}

}  // namespace

Work max_pool_step(const qgraph::MaxPool& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  if (x->layout.is_bytes()) return byte_max_pool_step(op, isa, x, y);
  return [axes = op.axes, x, y](const Memory& memory) {
    const std::int64_t channels = y->layout.channels();
    for_outputs(y->layout, memory.samples, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
      std::int16_t* to = y->write<std::int16_t>(memory) + y->layout.place(image, r, c);
      std::fill(to, to + channels, std::int16_t{INT16_MIN});
      for_pixels(axes, x->layout, image, r, c, [&](std::int64_t place) {
        const std::int16_t* from = x->read<std::int16_t>(memory) + place;
        for (std::int64_t k = 0; k < channels; ++k) to[k] = std::max(to[k], from[k]);
      });
    });
  };
}

Work average_pool_step(const qgraph::AveragePool& op, SlotPointer x, SlotPointer y) {
  const kernels::Requantization end = requantization_of(op.requantizer, static_cast<std::int64_t>(op.counts.size()), y->layout);
  if (op.requantizer.is_float() && !covers_input(op.axes)) return real_average_step(op, x, y, {op.x, op.y, end.bounds, y->layout.base});
  const std::int32_t zero = op.x.zero_point - x->layout.base;
  return [op, x, y, end, zero](const Memory& memory) {
    std::vector<std::int32_t> sums(static_cast<std::size_t>(y->layout.channels()));  // a window's fit: lower has seen to it
    with_type(x->layout, [&]<typename X>(X) {
      with_type(y->layout, [&]<typename Y>(Y) {
        for_outputs(y->layout, memory.samples, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
          std::ranges::fill(sums, 0);
          for_pixels(op.axes, x->layout, image, r, c, [&](std::int64_t place) {
            const X* from = x->read<X>(memory) + place;
            for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += static_cast<std::int32_t>(from[k]) - zero;
          });
          const auto entry = static_cast<std::size_t>(std::ranges::lower_bound(op.counts, count_at(op, r, c)) - op.counts.begin());
          Y* to = y->write<Y>(memory) + y->layout.place(image, r, c);
          for (std::size_t k = 0; k < sums.size(); ++k) to[k] = static_cast<Y>(end(sums[k], entry));
        });
      });
    });
  };
}

}  // namespace halftone::engine
