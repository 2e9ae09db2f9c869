// Panels of 64 channels, taps four at a time. Compiled for any machine.
#include <algorithm>
#include <array>

#include "halftone/kernels/depthwise/depthwise_sums.h"
#include "halftone/kernels/linear/panel_finish.h"

namespace halftone::kernels {
namespace {

constexpr std::int64_t kChannels = 64;  // of a panel

struct alignas(64) Line {
  std::array<std::int8_t, 64> bytes{};
};

class Avx512 : public Linear {
 public:
  Avx512(const LinearWeights& w, const Requantization& r) : taps_(w.taps), quads_((w.taps + 3) / 4) {
    for (std::int64_t first = 0; first < w.channels; first += kChannels) {
      panels_.emplace_back(finish_avx512, w, r, first, static_cast<int>(std::min(kChannels, w.channels - first)), 4);
      const std::size_t start = weights_.size();
      weights_.resize(start + static_cast<std::size_t>(4 * quads_));
      for (int i = 0; i < kChannels; ++i)
        for (std::int64_t t = 0; t < taps_ && panels_.back().channel(i) >= 0; ++t)
          weights_[start + static_cast<std::size_t>(t / 4 * 4 + i / 16)].bytes[static_cast<std::size_t>(i % 16 * 4 + t % 4)] =
              w.w[static_cast<std::size_t>(panels_.back().channel(i) * taps_ + t)];
    }
  }
  std::int64_t panels() const override { return static_cast<std::int64_t>(panels_.size()); }

  void run(const LinearRun& rows, std::int64_t at) const override {
    const PanelFinish& panel = panels_[static_cast<std::size_t>(at)];
    std::array<std::ptrdiff_t, kMostDepthwiseTaps> taps{};
    std::copy_n(rows.taps, taps_, taps.begin());
    std::fill(taps.begin() + taps_, taps.begin() + 4 * quads_, rows.taps[0]);  // of weights that are 0
    alignas(64) std::array<std::int32_t, kPixels * kChannels> sums;
    DepthwiseSums each{.x = rows.x + panel.first(),
                       .taps = taps.data(),
                       .quads = quads_,
                       .weights = weights_[static_cast<std::size_t>(4 * quads_ * at)].bytes.data(),
                       .bias = panel.bias(),
                       .sums = sums.data(),
                       .channels = panel.count()};
    std::uint8_t* y = rows.y + panel.first();
    for (std::int64_t done = 0; done < rows.pixels; done += kPixels) {
      const std::int64_t pixels = std::min(kPixels, rows.pixels - done);
      for (std::int64_t p = 0; p < pixels; ++p, each.x += rows.x_pixel) {
        each.sums = sums.data() + p * kChannels;
        sum_depthwise_avx512(each);
      }
      panel(sums.data(), static_cast<int>(pixels), y, rows.y_pixel);
      y += pixels * rows.y_pixel;
    }
  }

 private:
  static constexpr std::int64_t kPixels = 8;  // whose sums wait in the first cache

  std::int64_t taps_;
  std::int64_t quads_;
  std::vector<PanelFinish> panels_;
  std::vector<Line> weights_;
};

}  // namespace

std::unique_ptr<Linear> pack_depthwise_avx512(const LinearWeights& weights, const Requantization& requantization) {
  return std::make_unique<Avx512>(weights, requantization);
}

}  // namespace halftone::kernels
