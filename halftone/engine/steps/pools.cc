// Windows over planes that are stored channels last.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "halftone/engine/parts.h"
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

// Calls each(image, row) for all rows of a plane, x being read once for each output or so.
template <typename F>
void for_rows(const Memory& memory, const Layout& x, const Layout& y, F&& each) {
  const std::int64_t count = memory.samples * y.images() * y.rows();
  in_parts(memory, count, 2 * nanoseconds_of_bytes(memory.samples * x.elements()), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t at = first; at < last; ++at) each(at / y.rows(), at % y.rows());
  });
}

template <typename F>
void for_outputs(const Memory& memory, const Layout& x, const Layout& y, F&& each) {
  for_rows(memory, x, y, [&](std::int64_t image, std::int64_t r) {
    for (std::int64_t c = 0; c < y.columns(); ++c) each(image, r, c);
  });
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
        for_outputs(memory, x->layout, y->layout, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
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

// Output columns [first, first + count) whose windows see as many of their columns, from the same one on.
struct WindowColumns {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t x_first = 0;          // the first column that the first of them sees
  std::vector<std::ptrdiff_t> taps;  // of a whole window, row by row: elements from the first that is seen
  std::int64_t width = 0;            // of a row of taps
};

// The rows that an output row's windows see.
struct SeenRows {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

std::vector<WindowColumns> window_columns(const ir::PlaneAxes& axes, const Layout& x) {
  std::vector<WindowColumns> all;
  std::int64_t skipped_before = -1;
  for (std::int64_t c = 0; c < axes[1].out; ++c) {
    const Reach reach = reach_of(axes[1], c);
    const std::int64_t width = (reach.last - reach.first) / axes[1].dilation;
    const std::int64_t skipped = reach.first - c * axes[1].stride;
    if (all.empty() || all.back().width != width || skipped != skipped_before) {
      all.push_back({.first = c, .count = 0, .x_first = reach.first, .taps = {}, .width = width});
      for (std::int64_t r = 0; r < axes[0].kernel; ++r)
        for (std::int64_t k = 0; k < width; ++k) all.back().taps.push_back(r * axes[0].dilation * x.row_pitch() + k * axes[1].dilation * x.pixel_pitch());
    }
    ++all.back().count;
    skipped_before = skipped;
  }
  return all;
}

// Windows of so many elements, or with so much padding along a row, go one element after another.
bool has_few_taps(const ir::PlaneAxes& axes) {
  constexpr std::int64_t kMostTaps = std::int64_t{1} << 16;
  std::int64_t clipped = 1;
  for (std::int64_t c = 0; c < axes[1].out; ++c) {
    const Reach reach = reach_of(axes[1], c);
    clipped += (reach.last - reach.first) / axes[1].dilation == axes[1].kernel ? 0 : 1;
  }
  return axes[0].kernel < kMostTaps && axes[1].kernel < kMostTaps && clipped < kMostTaps && axes[0].kernel * axes[1].kernel < kMostTaps / clipped;
}

// Stored bytes are 0 or more: a padding of zeros changes nothing.
Work byte_max_pool_step(const qgraph::MaxPool& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  std::vector<SeenRows> rows;
  for (std::int64_t r = 0; r < y->layout.rows(); ++r) {
    const Reach reach = reach_of(op.axes[0], r);
    rows.push_back({reach.first, (reach.last - reach.first) / op.axes[0].dilation});
  }
  return [rows = std::move(rows), columns = window_columns(op.axes, x->layout), stride = op.axes[1].stride, x, y,
          largest = kernels::byte_loops(isa).largest](const Memory& memory) {
    for_rows(memory, x->layout, y->layout, [&](std::int64_t image, std::int64_t r) {
      const SeenRows& seen = rows[static_cast<std::size_t>(r)];
      for (const WindowColumns& some : columns) {
        const std::int64_t taps = seen.count * some.width;
        largest({.x = x->read<std::uint8_t>(memory) + (taps == 0 ? 0 : x->layout.place(image, seen.first, some.x_first)),
                 .x_pixel = stride * x->layout.pixel_pitch(),
                 .taps = some.taps.data(),
                 .tap_count = taps,
                 .pixels = some.count,
                 .channels = y->layout.channels(),
                 .y = y->write<std::uint8_t>(memory) + y->layout.place(image, r, some.first),
                 .y_pixel = y->layout.pixel_pitch()});
      }
    });
  };
}

}  // namespace

Work max_pool_step(const qgraph::MaxPool& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  if (x->layout.is_bytes() && has_few_taps(op.axes)) return byte_max_pool_step(op, isa, x, y);
  return [axes = op.axes, x, y](const Memory& memory) {
    with_type(y->layout, [&]<typename T>(T) {
      const std::int64_t channels = y->layout.channels();
      for_outputs(memory, x->layout, y->layout, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
        T* to = y->write<T>(memory) + y->layout.place(image, r, c);
        std::fill(to, to + channels, std::numeric_limits<T>::min());
        for_pixels(axes, x->layout, image, r, c, [&](std::int64_t place) {
          const T* from = x->read<T>(memory) + place;
          for (std::int64_t k = 0; k < channels; ++k) to[k] = std::max(to[k], from[k]);
        });
      });
    });
  };
}

namespace {

constexpr std::int64_t kTogether = 64;  // channels whose sums wait in the first cache

// The inputs of one output.
struct Seen {
  Seen(const ir::PlaneAxes& axes, std::int64_t row, std::int64_t column) : rows(reach_of(axes[0], row)), columns(reach_of(axes[1], column)) {
    row_count = (rows.last - rows.first) / axes[0].dilation;
    column_count = (columns.last - columns.first) / axes[1].dilation;
  }
  std::int64_t count() const { return row_count * column_count; }

  Reach rows;
  Reach columns;
  std::int64_t row_count = 0;
  std::int64_t column_count = 0;
};

// Adds up a row of pixels, as ByteLoops::sum does.
void sum_words(const std::int16_t* x, std::ptrdiff_t x_pixel, std::int64_t pixels, std::int64_t channels, std::int32_t* sums) {
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < channels; ++c)
      sums[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[c]) + static_cast<std::uint32_t>(x[p * x_pixel + c]));
}

}  // namespace

Work average_pool_step(const qgraph::AveragePool& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  const kernels::Requantization end = requantization_of(op.requantizer, static_cast<std::int64_t>(op.counts.size()), y->layout);
  if (op.requantizer.is_float() && !covers_input(op.axes)) return real_average_step(op, x, y, {op.x, op.y, end.bounds, y->layout.base});
  const std::int32_t zero = op.x.zero_point - x->layout.base;
  return [op, x, y, end, zero, sum_bytes = kernels::byte_loops(isa).sum](const Memory& memory) {
    const auto sum_row = [&]<typename X>(const X* from, std::int64_t pixels, std::int64_t channels, std::int32_t* sums) {
      const std::ptrdiff_t x_pixel = op.axes[1].dilation * x->layout.pixel_pitch();
      if constexpr (sizeof(X) == 1)
        sum_bytes(from, x_pixel, pixels, channels, sums);
      else
        sum_words(from, x_pixel, pixels, channels, sums);
    };
    with_type(x->layout, [&]<typename X>(X) {
      with_type(y->layout, [&]<typename Y>(Y) {
        for_outputs(memory, x->layout, y->layout, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
          const auto entry = static_cast<std::size_t>(std::ranges::lower_bound(op.counts, count_at(op, r, c)) - op.counts.begin());
          const Seen seen(op.axes, r, c);
          Y* to = y->write<Y>(memory) + y->layout.place(image, r, c);
          for (std::int64_t first = 0; first < y->layout.channels(); first += kTogether) {
            std::array<std::int32_t, kTogether> sums{};  // wrap; less their zero points they fit: lower has seen to it
            const std::int64_t count = std::min(kTogether, y->layout.channels() - first);
            for (std::int64_t row = 0; row < seen.row_count && seen.column_count > 0; ++row)
              sum_row(x->read<X>(memory) + x->layout.place(image, seen.rows.first + row * op.axes[0].dilation, seen.columns.first) + first,
                      seen.column_count, count, sums.data());
            for (std::int64_t k = 0; k < count; ++k) {
              const std::uint32_t sum = static_cast<std::uint32_t>(sums[static_cast<std::size_t>(k)]) - static_cast<std::uint32_t>(seen.count() * zero);
              to[first + k] = static_cast<Y>(end(static_cast<std::int32_t>(sum), entry));
            }
          }
        });
      });
    });
  };
}

}  // namespace halftone::engine
