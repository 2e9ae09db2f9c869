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

class Avx2 : public Linear {
 public:
  Avx2(const LinearWeights& w, const Requantization& r) : taps_(w.taps), pairs_((w.taps + 1) / 2) {
    for (std::int64_t first = 0; first < w.channels; first += kChannels) {
      const std::int64_t count = std::min(kChannels, w.channels - first);
      panels_.emplace_back(finish_avx2, w, r, first, static_cast<int>(count), 1);
      const std::size_t start = weights_.size();
      weights_.resize(start + static_cast<std::size_t>(pairs_));
      for (std::int64_t c = 0; c < count; ++c)
        for (std::int64_t t = 0; t < taps_; ++t)
          weights_[start + static_cast<std::size_t>(t / 2)].at(c, t % 2) = w.w[static_cast<std::size_t>((first + c) * taps_ + t)];
    }
  }
  std::int64_t panels() const override { return static_cast<std::int64_t>(panels_.size()); }

  void run(const LinearRun& rows, std::int64_t at) const override {
    const PanelFinish& panel = panels_[static_cast<std::size_t>(at)];
    std::array<std::ptrdiff_t, kMostDepthwiseTaps> taps;
    std::copy_n(rows.taps, taps_, taps.begin());
    if (taps_ % 2 != 0) taps[static_cast<std::size_t>(taps_)] = rows.taps[0];  // of a weight that is 0
    alignas(64) std::array<std::int32_t, kPixels * kChannels> sums;
    DepthwisePairs each{.x = rows.x + panel.first(),
                        .x_pixel = rows.x_pixel,
                        .taps = taps.data(),
                        .pairs = pairs_,
                        .weights = weights_[static_cast<std::size_t>(pairs_ * at)].weights.data(),
                        .bias = panel.bias(),
                        .sums = sums.data()};
    std::uint8_t* y = rows.y + panel.first();
    for (std::int64_t left = rows.pixels; left > 0; left -= kPixels) {
      each.pixels = static_cast<int>(std::min(kPixels, left));
      sum_depthwise_avx2(each);
      panel(sums.data(), each.pixels, y, rows.y_pixel);
      each.x += kPixels * rows.x_pixel;
      y += kPixels * rows.y_pixel;
    }
  }

 private:
  static constexpr std::int64_t kPixels = 32;  // whose sums wait in the first cache

  std::int64_t taps_;
  std::int64_t pairs_;
  std::vector<PanelFinish> panels_;
  std::vector<PairOfTaps> weights_;
};

}  // namespace

std::unique_ptr<Linear> pack_depthwise_avx2(const LinearWeights& weights, const Requantization& requantization) {
  return std::make_unique<Avx2>(weights, requantization);
}

}  // namespace halftone::kernels
