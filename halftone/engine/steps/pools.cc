// Windows over planes that are stored channels last.
#include <algorithm>
#include <array>
#include <cmath>

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

constexpr std::int64_t kTogether = 64;  // channels whose sums wait in the first cache
constexpr std::size_t kMostRows = 16;

using Largest = decltype(kernels::ByteLoops::largest);

// The largest of many rows, so many at a time: the result so far is one of them.
class Rows {
 public:
  Rows(Largest largest, std::uint8_t* y, std::int64_t count) : largest_(largest), y_(y), count_(count) {}
  void add(const std::uint8_t* row) {
    rows_[used_++] = row;
    if (used_ < kMostRows) return;
    finish();
    rows_[0] = y_;
    used_ = 1;
  }
  void finish() {
    if (used_ == 0) return static_cast<void>(std::fill_n(y_, count_, std::uint8_t{0}));  // a window in the padding alone
    largest_(rows_.data(), static_cast<std::int64_t>(used_), y_, count_);
  }

 private:
  Largest largest_;
  std::uint8_t* y_;
  std::int64_t count_;
  std::array<const std::uint8_t*, kMostRows> rows_;
  std::size_t used_ = 0;
};

// A row of windows of few channels: the largest of whole rows, then of what lies side by side there. Stored bytes are 0 or more: a
// padding of zeros changes nothing.
class MaxOfRows {
 public:
  static constexpr std::int64_t kMost = 8192;  // bytes of a row with its padding

  MaxOfRows(const ir::PlaneAxes& axes, const Layout& x, Largest largest)
      : axes_(axes), channels_(x.channels()), padding_(std::max<std::int64_t>(0, axes[1].pad_begin) * channels_), largest_(largest) {
    const ir::WindowAxis& a = axes_[1];
    const std::int64_t behind = std::max<std::int64_t>(0, (a.out - 1) * a.stride - a.pad_begin + (a.kernel - 1) * a.dilation + 1 - a.in);
    inside_ = a.in * channels_;
    width_ = padding_ + inside_ + behind * channels_;
    side_by_side_ = ((a.out - 1) * a.stride + 1) * channels_;
  }
  static bool fits(const ir::PlaneAxes& axes, const Layout& x) {
    constexpr std::int64_t kFewChannels = 32;
    const bool is_sane = axes[1].pad_begin >= 0 && axes[1].pad_begin < 256 && axes[1].in < kMost && axes[1].out < kMost && axes[1].stride < 256 &&
                         axes[1].kernel < 256 && axes[1].dilation < 256;
    return is_sane && x.channels() <= kFewChannels && MaxOfRows(axes, x, nullptr).width_ <= kMost;
  }

  // `from`: the image's first pixel; y: the row's.
  void operator()(const std::uint8_t* from, std::ptrdiff_t row_pitch, std::int64_t row, std::uint8_t* y) const {
    std::array<std::uint8_t, kMost> whole;
    std::array<std::uint8_t, kMost> most;
    std::fill_n(whole.begin(), padding_, std::uint8_t{0});
    std::fill(whole.begin() + padding_ + inside_, whole.begin() + width_, std::uint8_t{0});
    Rows rows(largest_, whole.data() + padding_, inside_);
    const Reach reach = reach_of(axes_[0], row);
    for (std::int64_t r = reach.first; r < reach.last; r += axes_[0].dilation) rows.add(from + r * row_pitch);
    rows.finish();
    Rows beside(largest_, most.data(), side_by_side_);
    for (std::int64_t k = 0; k < axes_[1].kernel; ++k) beside.add(whole.data() + k * axes_[1].dilation * channels_);
    beside.finish();
    for (std::int64_t c = 0; c < axes_[1].out; ++c) {
      const std::uint8_t* pixel = most.data() + c * axes_[1].stride * channels_;
      for (std::int64_t k = 0; k < channels_; ++k) y[c * channels_ + k] = pixel[k];
    }
  }

 private:
  ir::PlaneAxes axes_;
  std::int64_t channels_;
  std::int64_t padding_;       // bytes in front of a row
  std::int64_t inside_ = 0;    // bytes of a row
  std::int64_t width_ = 0;
  std::int64_t side_by_side_ = 0;
  Largest largest_;
};

Work byte_max_pool_step(const qgraph::MaxPool& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  const Largest largest = kernels::byte_loops(isa).largest;
  if (MaxOfRows::fits(op.axes, x->layout))
    return [row_of = MaxOfRows(op.axes, x->layout, largest), x, y](const Memory& memory) {
      for_rows(memory, x->layout, y->layout, [&](std::int64_t image, std::int64_t r) {
        row_of(x->read<std::uint8_t>(memory) + x->layout.place(image, 0, 0), x->layout.row_pitch(), r, y->write<std::uint8_t>(memory) + y->layout.place(image, r, 0));
      });
    };
  return [axes = op.axes, x, y, largest](const Memory& memory) {
    for_outputs(memory, x->layout, y->layout, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
      Rows rows(largest, y->write<std::uint8_t>(memory) + y->layout.place(image, r, c), y->layout.channels());
      for_pixels(axes, x->layout, image, r, c, [&](std::int64_t place) { rows.add(x->read<std::uint8_t>(memory) + place); });
      rows.finish();
    });
  };
}

}  // namespace

Work max_pool_step(const qgraph::MaxPool& op, kernels::Isa isa, SlotPointer x, SlotPointer y) {
  if (x->layout.is_bytes()) return byte_max_pool_step(op, isa, x, y);
  return [axes = op.axes, x, y](const Memory& memory) {
    const std::int64_t channels = y->layout.channels();
    for_outputs(memory, x->layout, y->layout, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
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
    with_type(x->layout, [&]<typename X>(X) {
      with_type(y->layout, [&]<typename Y>(Y) {
        for_outputs(memory, x->layout, y->layout, [&](std::int64_t image, std::int64_t r, std::int64_t c) {
          const auto entry = static_cast<std::size_t>(std::ranges::lower_bound(op.counts, count_at(op, r, c)) - op.counts.begin());
          Y* to = y->write<Y>(memory) + y->layout.place(image, r, c);
          for (std::int64_t first = 0; first < y->layout.channels(); first += kTogether) {
            std::array<std::int32_t, kTogether> sums{};  // a window's fit: lower has seen to it
            const std::int64_t count = std::min(kTogether, y->layout.channels() - first);
            for_pixels(op.axes, x->layout, image, r, c, [&](std::int64_t place) {
              const X* from = x->read<X>(memory) + place + first;
              for (std::int64_t k = 0; k < count; ++k) sums[static_cast<std::size_t>(k)] += static_cast<std::int32_t>(from[k]) - zero;
            });
            for (std::int64_t k = 0; k < count; ++k) to[first + k] = static_cast<Y>(end(sums[static_cast<std::size_t>(k)], entry));
          }
        });
      });
    });
  };
}

}  // namespace halftone::engine
