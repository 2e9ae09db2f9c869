// Any layer with weights, one output after another: sums in 64 bits, weights by group, inputs spread out. docs/arithmetic.md sections 4
// and 6.
#include <algorithm>

#include "halftone/engine/requantizations.h"
#include "halftone/engine/steps.h"

namespace halftone::engine {
namespace {

// Weights as their sums take them, in the order of the file: [M][K].
class WideSums {
 public:
  explicit WideSums(const qgraph::Linear& linear)
      : w_(qgraph::centred_weights(linear)),
        bias_(linear.bias),
        group_m_(linear.group_m),
        reduction_(linear.reduction),
        group_size_(linear.group_size > 0 ? linear.group_size : std::max<std::int64_t>(1, linear.reduction)) {}

  std::int64_t reduction() const { return reduction_; }

  std::int64_t sum(const std::int32_t* x, std::int64_t channel) const {
    const std::int32_t* w = w_.data() + channel * reduction_;
    const std::int64_t groups = (reduction_ + group_size_ - 1) / group_size_;
    std::int64_t sum = bias_[static_cast<std::size_t>(channel)];
    for (std::int64_t g = 0; g < groups; ++g) {
      std::int64_t part = 0;
      for (std::int64_t k = g * group_size_; k < std::min(reduction_, (g + 1) * group_size_); ++k) part += std::int64_t{x[k]} * w[k];
      sum += group_m_.empty() ? part : part * group_m_[static_cast<std::size_t>(channel * groups + g)];
    }
    return sum;
  }

 private:
  std::vector<std::int32_t> w_;
  std::vector<std::int64_t> bias_;
  std::vector<std::int64_t> group_m_;
  std::int64_t reduction_;
  std::int64_t group_size_;
};

// The places in a plane that a window's elements have at one output, or none.
struct PlaneWindow {
  ir::PlaneAxes axes;
  std::array<std::int64_t, 2> spread;

  std::optional<std::int64_t> along(std::size_t d, std::int64_t out, std::int64_t k) const {
    const ir::WindowAxis& axis = axes[d];
    const std::int64_t at = out * axis.stride - axis.pad_begin + k * axis.dilation;
    if (at < 0 || at >= axis.in || at % spread[d] != 0) return std::nullopt;
    return at / spread[d];
  }
};

// The inputs of one output less their zero point, [C][kernel rows][kernel columns]; 0 in the padding.
template <typename T>
void gather(const T* x, const Layout& layout, const PlaneWindow& window, std::int64_t image, std::int64_t row, std::int64_t column,
            std::int64_t first_channel, std::int32_t zero, std::span<std::int32_t> patch) {
  const std::int64_t taps = window.axes[0].kernel * window.axes[1].kernel;
  const auto channels = static_cast<std::int64_t>(patch.size()) / taps;
  for (std::int64_t t = 0; t < taps; ++t) {
    const auto r = window.along(0, row, t / window.axes[1].kernel);
    const auto c = window.along(1, column, t % window.axes[1].kernel);
    for (std::int64_t k = 0; k < channels; ++k)
      patch[static_cast<std::size_t>(k * taps + t)] =
          r && c ? static_cast<std::int32_t>(x[layout.place(image, *r, *c) + first_channel + k]) - zero : 0;
  }
}

}  // namespace

Work wide_gemm_step(const qgraph::Gemm& op, SlotPointer x, SlotPointer y) {
  const std::int32_t zero = op.x_zero_point - x->layout.base;
  return [sums = WideSums(op.linear), end = requantization_of(op.linear.requantizer, op.linear.channels, y->layout), zero, x, y](const Memory& memory) {
    const std::int64_t rows = memory.samples * x->layout.elements() / std::max<std::int64_t>(1, sums.reduction());
    const std::int64_t channels = y->layout.shape.back();
    std::vector<std::int32_t> row(static_cast<std::size_t>(sums.reduction()));
    with_type(x->layout, [&]<typename X>(X) {
      with_type(y->layout, [&]<typename Y>(Y) {
        for (std::int64_t r = 0; r < memory.samples * y->layout.elements() / channels; ++r) {
          const X* from = rows == 0 ? nullptr : x->read<X>(memory) + r * sums.reduction();
          for (std::size_t k = 0; k < row.size(); ++k) row[k] = static_cast<std::int32_t>(from[k]) - zero;
          for (std::int64_t m = 0; m < channels; ++m)
            y->write<Y>(memory)[r * channels + m] = static_cast<Y>(end(sums.sum(row.data(), m), static_cast<std::size_t>(m)));
        }
      });
    });
  };
}

Work wide_conv_step(const qgraph::Conv& op, SlotPointer x, SlotPointer y) {
  const std::int32_t zero = op.x_zero_point - x->layout.base;
  const PlaneWindow window{op.axes, op.spread};
  const std::int64_t in_group = op.linear.channels / op.groups;
  const std::int64_t depth = x->layout.channels() / op.groups;
  return [sums = WideSums(op.linear), end = requantization_of(op.linear.requantizer, op.linear.channels, y->layout), zero, window, in_group,
          depth, x, y](const Memory& memory) {
    const Layout& to = y->layout;
    std::vector<std::int32_t> patch(static_cast<std::size_t>(sums.reduction()));
    const auto each_output = [&](auto&& body) {
      for (std::int64_t image = 0; image < memory.samples * to.images(); ++image)
        for (std::int64_t r = 0; r < to.rows(); ++r)
          for (std::int64_t c = 0; c < to.columns(); ++c) body(image, r, c);
    };
    with_type(x->layout, [&]<typename X>(X) {
      with_type(to, [&]<typename Y>(Y) {
        each_output([&](std::int64_t image, std::int64_t r, std::int64_t c) {
          for (std::int64_t m = 0; m < to.channels(); ++m) {
            if (m % in_group == 0) gather(x->read<X>(memory), x->layout, window, image, r, c, m / in_group * depth, zero, patch);
            y->write<Y>(memory)[to.place(image, r, c) + m] = static_cast<Y>(end(sums.sum(patch.data(), m), static_cast<std::size_t>(m)));
          }
        });
      });
    });
  };
}

}  // namespace halftone::engine
