// The ends of a panel of 16, 32 or 64 channels: bias in front, sums to bytes or words behind.
#pragma once

#include <array>

#include "halftone/kernels/linear/linear.h"
#include "halftone/kernels/linear/sum_tile.h"

namespace halftone::kernels {

class PanelFinish {
 public:
  // Channels [first, first + count) of the layer, count <= 16·registers. `kernel_for`: of the instruction set.
  PanelFinish(FinishKernel (*kernel_for)(Finish, int, Stored), const LinearWeights& weights, const Requantization& requantization, std::int64_t first,
              int count, int registers);

  std::int64_t first() const { return first_; }
  int count() const { return count_; }
  int registers() const { return registers_; }
  // In the order of sums.
  const std::int32_t* bias() const { return bias_.data(); }
  // The layer's channel whose sum stands at place i, or none.
  std::int64_t channel(int i) const {
    const int in_panel = channel_of(registers_, i / 16, i % 16);
    return in_panel < count_ ? first_ + in_panel : -1;
  }
  // For kernels that finish bytes with Finish::half_up themselves; none for another panel.
  const Columns* half_up_columns() const { return kind_ == Finish::half_up && y_ == Stored::bytes ? columns_.data() : nullptr; }
  // `y`: the first channel of the panel; y_pixel in bytes.
  void operator()(const std::int32_t* sums, int pixels, std::uint8_t* y, std::ptrdiff_t y_pixel) const;

 private:
  struct Multiplier {
    std::int64_t m;
    int shift;
  };
  Multiplier multiplier(std::size_t channel, Finish kind) const;
  Finish kind_of(const LinearWeights& weights) const;
  bool rounds_half_up(std::size_t channel, std::int64_t bound) const;
  void set_column(int i, std::size_t channel, Finish kind);
  void finish_plain(const std::int32_t* sums, int pixels, std::uint8_t* y, std::ptrdiff_t y_pixel) const;

  alignas(64) std::array<std::int32_t, 64> bias_{};
  std::array<Columns, 4> columns_{};
  Requantization requantization_;
  std::int64_t first_;
  int count_;
  int registers_;
  Stored y_;
  Finish kind_;
  FinishKernel finish_ = nullptr;  // none: one by one
};

}  // namespace halftone::kernels
