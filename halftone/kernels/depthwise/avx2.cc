// Panels of 16 channels, taps two at a time. Compiled for any machine.
#include <algorithm>
#include <array>

#include "halftone/kernels/depthwise/depthwise_sums.h"
#include "halftone/kernels/linear/panel_finish.h"

namespace halftone::kernels {
namespace {

constexpr std::int64_t kChannels = 16;  // of a panel

// The weights of a pair of taps as they meet two registers of words: channels 0 to 3 and 8 to 11, then the others.
struct alignas(32) PairOfTaps {
  std::array<std::int16_t, 2 * kChannels> weights{};
  std::int16_t& at(std::int64_t channel, std::int64_t tap) {
    return weights[static_cast<std::size_t>(channel / 4 % 2 * 16 + channel / 8 * 8 + channel % 4 * 2 + tap)];
  }
};

constexpr std::int64_t kPixels = 32;  // whose sums wait in the first cache
constexpr std::int64_t kWindow = 9;   // taps of a window of 3x3

class Avx2 : public Linear {
 public:
  Avx2(const LinearWeights& w, const Requantization& r) : taps_(w.taps), pairs_((w.taps + 1) / 2) {
    for (std::int64_t first = 0; first < w.channels; first += kChannels) {
      const std::int64_t count = std::min(kChannels, w.channels - first);
      panels_.emplace_back(finish_avx2, w, r, first, static_cast<int>(count), 1);
      const auto weight = [&](std::int64_t c, std::int64_t t) { return w.w[static_cast<std::size_t>((first + c) * taps_ + t)]; };
      const std::size_t start = weights_.size();
      weights_.resize(start + static_cast<std::size_t>(pairs_));
      const std::size_t columns = by_column_.size();
      if (taps_ == kWindow) by_column_.resize(columns + 6);
      for (std::int64_t c = 0; c < count; ++c)
        for (std::int64_t t = 0; t < taps_; ++t) {
          weights_[start + static_cast<std::size_t>(t / 2)].at(c, t % 2) = weight(c, t);
          if (taps_ == kWindow) by_column_[columns + static_cast<std::size_t>(t % 3 * 2 + t / 6)].at(c, t / 3 % 2) = weight(c, t);
        }
    }
  }
  std::int64_t panels() const override { return static_cast<std::int64_t>(panels_.size()); }

  void run(const LinearRun& rows, std::int64_t at) const override {
    const PanelFinish& panel = panels_[static_cast<std::size_t>(at)];
    const int stride = taps_ == kWindow ? stride_of(rows) : 0;
    alignas(64) std::array<std::int32_t, kPixels * kChannels> sums;
    LinearRun some = rows;
    some.x += panel.first();
    some.y += panel.first();
    for (std::int64_t left = rows.pixels; left > 0; left -= kPixels) {
      some.pixels = std::min(kPixels, left);
      if (stride > 0)
        sum_columns(some, stride, at, sums.data());
      else
        sum_pairs(some, at, sums.data());
      panel(sums.data(), static_cast<int>(some.pixels), some.y, rows.y_pixel);
      some.x += kPixels * rows.x_pixel;
      some.y += kPixels * rows.y_pixel;
    }
  }

 private:
  // How many columns of its window a run's next pixel lies on, where that is 1 or 2, else 0.
  static int stride_of(const LinearRun& rows) {
    const std::ptrdiff_t column = rows.taps[1] - rows.taps[0];
    for (std::int64_t t = 0; t < kWindow; ++t)
      if (rows.taps[t] != rows.taps[t - t % 3] + t % 3 * column) return 0;
    return rows.x_pixel == column ? 1 : rows.x_pixel == 2 * column ? 2 : 0;
  }

  void sum_columns(const LinearRun& rows, int stride, std::int64_t at, std::int32_t* sums) const {
    sum_depthwise_columns_avx2({.rows = {rows.x + rows.taps[0], rows.x + rows.taps[3], rows.x + rows.taps[6]},
                                .x_column = rows.taps[1] - rows.taps[0],
                                .stride = stride,
                                .weights = by_column_[static_cast<std::size_t>(6 * at)].weights.data(),
                                .bias = panels_[static_cast<std::size_t>(at)].bias(),
                                .sums = sums,
                                .pixels = static_cast<int>(rows.pixels)});
  }

  void sum_pairs(const LinearRun& rows, std::int64_t at, std::int32_t* sums) const {
    std::array<std::ptrdiff_t, kMostDepthwiseTaps> taps;
    std::copy_n(rows.taps, taps_, taps.begin());
    if (taps_ % 2 != 0) taps[static_cast<std::size_t>(taps_)] = rows.taps[0];  // of a weight that is 0
    sum_depthwise_avx2({.x = rows.x,
                        .x_pixel = rows.x_pixel,
                        .taps = taps.data(),
                        .pairs = pairs_,
                        .weights = weights_[static_cast<std::size_t>(pairs_ * at)].weights.data(),
                        .bias = panels_[static_cast<std::size_t>(at)].bias(),
                        .sums = sums,
                        .pixels = static_cast<int>(rows.pixels)});
  }

  std::int64_t taps_;
  std::int64_t pairs_;
  std::vector<PanelFinish> panels_;
  std::vector<PairOfTaps> weights_;
  std::vector<PairOfTaps> by_column_;  // of windows of 3x3
};

}  // namespace

std::unique_ptr<Linear> pack_depthwise_avx2(const LinearWeights& weights, const Requantization& requantization) {
  return std::make_unique<Avx2>(weights, requantization);
}

}  // namespace halftone::kernels
