#include "halftone/kernels/depthwise/depthwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "halftone/base/error.h"
#include "halftone/kernels/depthwise/depthwise_sums.h"

namespace halftone::kernels {
namespace {

constexpr std::int64_t kChannels = 64;  // of a panel

// Weights [T][M].
class Generic : public Linear {
 public:
  Generic(const LinearWeights& w, const Requantization& r)
      : channels_(w.channels), taps_(w.taps), bias_(w.bias.begin(), w.bias.end()), requantization_(r) {
    for (std::int64_t t = 0; t < taps_; ++t)
      for (std::int64_t m = 0; m < channels_; ++m) weights_.push_back(w.w[static_cast<std::size_t>(m * taps_ + t)]);
  }
  std::int64_t panels() const override { return (channels_ + kChannels - 1) / kChannels; }

  void run(const LinearRun& rows, std::int64_t panel) const override {
    const std::int64_t first = panel * kChannels;
    const std::int64_t count = std::min(kChannels, channels_ - first);
    std::array<std::int32_t, kChannels> sums{};
    for (std::int64_t p = 0; p < rows.pixels; ++p) {
      std::copy_n(bias_.begin() + first, count, sums.begin());
      for (std::int64_t t = 0; t < taps_; ++t) {
        const std::uint8_t* x = rows.x + p * rows.x_pixel + rows.taps[t] + first;
        const std::int8_t* w = weights_.data() + t * channels_ + first;
        for (std::int64_t c = 0; c < count; ++c) sums[static_cast<std::size_t>(c)] += x[c] * w[c];
      }
      std::uint8_t* y = rows.y + p * rows.y_pixel + first;
      for (std::int64_t c = 0; c < count; ++c)
        y[c] = static_cast<std::uint8_t>(requantization_(sums[static_cast<std::size_t>(c)], static_cast<std::size_t>(first + c)));
    }
  }

 private:
  std::int64_t channels_;
  std::int64_t taps_;
  std::vector<std::int32_t> bias_;
  std::vector<std::int8_t> weights_;
  Requantization requantization_;
};

}  // namespace

std::unique_ptr<Linear> pack_depthwise(Isa isa, const LinearWeights& weights, const Requantization& requantization) {
  if (!is_supported(isa)) throw UnsupportedError("isa", fmt::format("this machine has no {}", name_of(isa)));
#ifdef HALFTONE_X86
  if (isa == Isa::avx2 && weights.taps <= kMostDepthwiseTaps) return pack_depthwise_avx2(weights, requantization);
  if (isa == Isa::avx512_vnni && weights.taps <= kMostDepthwiseTaps) return pack_depthwise_avx512(weights, requantization);
#endif
  return std::make_unique<Generic>(weights, requantization);
}

}  // namespace halftone::kernels
