#include "halftone/kernels/linear/panel_finish.h"

#include <bit>

namespace halftone::kernels {

PanelFinish::PanelFinish(FinishKernel (*kernel_for)(Finish, int, Stored), const LinearWeights& weights, const Requantization& requantization,
                         std::int64_t first, int count, int registers)
    : requantization_(requantization), first_(first), count_(count), registers_(registers), y_(weights.y), kind_(kind_of(weights)) {
  finish_ = kernel_for(kind_, registers, y_);
  for (int i = 0; i < 16 * registers; ++i) {
    if (channel(i) < 0) continue;
    const auto c = static_cast<std::size_t>(channel(i));
    bias_[static_cast<std::size_t>(i)] = weights.bias[c];
    set_column(i, c, kind_);
  }
}

void PanelFinish::set_column(int i, std::size_t channel, Finish kind) {
  Columns& columns = columns_[static_cast<std::size_t>(i / 16)];
  const int lane = i % 16;
  if (kind == Finish::plain) return;
  if (kind == Finish::real) {
    columns.M[lane] = requantization_.M[channel];
    return;
  }
  const Multiplier scaled = multiplier(channel, kind);
  columns.m[lane] = static_cast<std::int32_t>(scaled.m);
  if (lane > 0) columns.m_odd[lane - 1] = columns.m[lane];
  columns.shift[lane] = scaled.shift;
}

// For the high halves of products m has 31 bits, and the shift is what is left of it.
PanelFinish::Multiplier PanelFinish::multiplier(std::size_t channel, Finish kind) const {
  const std::int64_t m = requantization_.m[channel];
  const int shift = requantization_.shift[channel];
  if (kind != Finish::half_up) return {m, shift};
  if (m == 0) return {0, 0};
  const int more = 31 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(m)));
  return {m << more, shift + more - 33};
}

Finish PanelFinish::kind_of(const LinearWeights& weights) const {
  if (requantization_.is_float()) return Finish::real;
  bool is_fast = true;
  for (std::int64_t i = first_; i < first_ + count_; ++i) {
    const auto c = static_cast<std::size_t>(i);
    const int shift = requantization_.shift[c];
    if (requantization_.m[c] < 0 || requantization_.m[c] > INT32_MAX || shift < 1 || shift > 62) return Finish::plain;
    is_fast &= multiplier(c, Finish::half_up).shift >= 0 && rounds_half_up(c, weights.bound[c]);
  }
  return is_fast ? Finish::half_up : Finish::exact;
}

bool PanelFinish::rounds_half_up(std::size_t channel, std::int64_t bound) const {
  if (requantization_.rounding == numeric::Rounding::half_up) return true;
  return requantization_.rounding != numeric::Rounding::floor &&
         is_free_of_ties(requantization_.m[channel], requantization_.shift[channel], bound);
}

void PanelFinish::operator()(const std::int32_t* sums, int pixels, std::uint8_t* y, std::ptrdiff_t y_pixel) const {
  if (finish_ == nullptr) return finish_plain(sums, pixels, y, y_pixel);
  const numeric::OutputBounds& bounds = requantization_.bounds;
  finish_(sums, pixels, columns_.data(), {requantization_.rounding, bounds.zero_point, bounds.lo, bounds.hi, count_}, y, y_pixel);
}

void PanelFinish::finish_plain(const std::int32_t* sums, int pixels, std::uint8_t* y, std::ptrdiff_t y_pixel) const {
  for (int p = 0; p < pixels; ++p)
    for (int i = 0; i < 16 * registers_; ++i) {
      if (channel(i) < 0) continue;
      const std::int32_t q = requantization_(sums[p * 16 * registers_ + i], static_cast<std::size_t>(channel(i)));
      std::uint8_t* to = y + p * y_pixel + (channel(i) - first_) * size_of(y_);
      if (y_ == Stored::words)
        *reinterpret_cast<std::int16_t*>(to) = static_cast<std::int16_t>(q);
      else
        *to = static_cast<std::uint8_t>(q);
    }
}

}  // namespace halftone::kernels
