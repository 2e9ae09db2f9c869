#include <algorithm>
#include <array>

#include "halftone/kernels/linear/isa_linears.h"

namespace halftone::kernels {
namespace {

constexpr std::int64_t kColumns = 16;

// Panels of 16 channels, weights [panel][T][K][16]. X and Y are the types of what is stored.
template <typename X, typename Y>
class Generic : public Linear {
 public:
  Generic(const LinearWeights& w, const Requantization& requantization)
      : channels_(w.channels), taps_(w.taps), depth_(w.depth), requantization_(requantization), ranges_(w.ranges.begin(), w.ranges.end()) {
    for (TapRange& range : ranges_) range.bias.resize(static_cast<std::size_t>(panels() * kColumns));
    bias_.assign(static_cast<std::size_t>(panels() * kColumns), 0);
    std::ranges::copy(w.bias, bias_.begin());
    weights_.assign(static_cast<std::size_t>(panels() * taps_ * depth_ * kColumns), 0);
    for (std::int64_t m = 0; m < channels_; ++m)
      for (std::int64_t k = 0; k < taps_ * depth_; ++k)
        weights_[static_cast<std::size_t>((m / kColumns * taps_ * depth_ + k) * kColumns + m % kColumns)] =
            w.w[static_cast<std::size_t>(m * taps_ * depth_ + k)];
  }

  std::int64_t panels() const override { return (channels_ + kColumns - 1) / kColumns; }
  int weight_bits() const override { return 16; }

  void run(const LinearRun& rows, std::int64_t panel) const override {
    const std::int64_t first = panel * kColumns;
    const std::int64_t count = std::min(kColumns, channels_ - first);
    for (std::int64_t p = 0; p < rows.pixels; ++p) {
      const Sums sums = sums_of(rows.x + p * rows.x_pixel, rows, panel);
      Y* y = reinterpret_cast<Y*>(rows.y + p * rows.y_pixel) + first;
      for (std::int64_t c = 0; c < count; ++c)
        y[c] = static_cast<Y>(requantization_(static_cast<std::int32_t>(sums[static_cast<std::size_t>(c)]), static_cast<std::size_t>(first + c)));
    }
  }

 private:
  using Sums = std::array<std::uint32_t, kColumns>;  // unsigned: they wrap

  Sums sums_of(const std::uint8_t* x, const LinearRun& rows, std::int64_t panel) const {
    const TapRange* range = rows.range < 0 ? nullptr : &ranges_[static_cast<std::size_t>(rows.range)];
    const std::int64_t first = range == nullptr ? 0 : range->first;
    const std::int64_t last = range == nullptr ? taps_ : range->first + range->count;
    const std::int32_t* bias = (range == nullptr ? bias_ : range->bias).data() + panel * kColumns;
    Sums sums;
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] = static_cast<std::uint32_t>(bias[c]);
    const std::int16_t* w = weights_.data() + (panel * taps_ + first) * depth_ * kColumns;
    for (std::int64_t t = first; t < last; ++t) {
      const X* tap = reinterpret_cast<const X*>(x + rows.taps[t]);
      for (std::int64_t k = 0; k < depth_; ++k, w += kColumns)
        for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += static_cast<std::uint32_t>(std::int32_t{tap[k]} * w[c]);
    }
    return sums;
  }

  std::int64_t channels_;
  std::int64_t taps_;
  std::int64_t depth_;
  Requantization requantization_;
  std::vector<TapRange> ranges_;
  std::vector<std::int32_t> bias_;
  std::vector<std::int16_t> weights_;
};

}  // namespace

std::unique_ptr<Linear> pack_generic(const LinearWeights& weights, const Requantization& requantization) {
  const bool words = weights.y == Stored::words;
  if (weights.x == Stored::words && words) return std::make_unique<Generic<std::int16_t, std::int16_t>>(weights, requantization);
  if (weights.x == Stored::words) return std::make_unique<Generic<std::int16_t, std::uint8_t>>(weights, requantization);
  if (words) return std::make_unique<Generic<std::uint8_t, std::int16_t>>(weights, requantization);
  return std::make_unique<Generic<std::uint8_t, std::uint8_t>>(weights, requantization);
}

}  // namespace halftone::kernels
