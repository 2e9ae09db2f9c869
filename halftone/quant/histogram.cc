#include "halftone/quant/histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::quant {
namespace {

struct Extremes {
  float lo;
  float hi;
  std::int64_t zeros = 0;
};

constexpr std::size_t kChunk = 1024;

// An integer that orders float32 as the numbers are, -0 being -1 and NaN beyond the infinities: of integers a compiler
// finds extremes several at a time.
std::int32_t key_of(float v) {
  const auto bits = std::bit_cast<std::int32_t>(v);
  return bits ^ ((bits >> 31) & INT32_MAX);
}
float from_key(std::int32_t key) {
  return std::bit_cast<float>(key ^ ((key >> 31) & INT32_MAX)) + 0.0F;  // no -0
}

Extremes extremes_of(std::span<const float> values) {
  std::int32_t lo = INT32_MAX;
  std::int32_t hi = INT32_MIN;
  std::int64_t zeros = 0;
  for (; !values.empty(); values = values.subspan(std::min(kChunk, values.size()))) {
    std::int32_t zeros_here = 0;
    for (const float v : values.first(std::min(kChunk, values.size()))) {
      const std::int32_t key = key_of(v);
      lo = std::min(lo, key);
      hi = std::max(hi, key);
      zeros_here += key == 0 || key == -1 ? 1 : 0;
    }
    zeros += zeros_here;
  }
  const Extremes e{from_key(lo), from_key(hi), zeros};
  if (std::isnan(e.lo) || std::isnan(e.hi)) throw InputError("observe", "a value is not a number (NaN)");
  if (std::isinf(e.lo) || std::isinf(e.hi)) throw InputError("observe", "a value is infinite");
  return e;
}

// Adds what is not zero to the bins on both sides of `first`, the one that begins at zero. Three short loops: the first
// works on several values at a time, and zeros, often half of all, would wait for each other in their one bin.
void add_to_bins(std::span<const float> values, float scale, std::int64_t* first) {
  std::array<std::int32_t, kChunk> bins;
  for (; !values.empty(); values = values.subspan(std::min(kChunk, values.size()))) {
    const std::size_t size = std::min(kChunk, values.size());
    for (std::size_t i = 0; i < size; ++i) {
      const auto m = static_cast<std::int32_t>(std::fabs(values[i]) * scale);
      bins[i] = values[i] < 0.0F ? ~m : m;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size; ++i) {
      bins[kept] = bins[i];
      kept += values[i] != 0.0F ? 1 : 0;
    }
    for (std::size_t i = 0; i < kept; ++i) ++first[bins[i]];
  }
}

}  // namespace

double Histogram::bin_width() const { return std::ldexp(1.0, exponent_); }

Histogram::Histogram(const HistogramState& state)
    : exponent_(state.exponent),
      zeros_(state.zeros),
      lo_(static_cast<float>(state.range.lo)),
      hi_(static_cast<float>(state.range.hi)) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  constexpr int kMaxExponent = 128 - 11;
  const bool sizes = exponent_ >= kMinExponent && exponent_ <= kMaxExponent && zeros_ >= 0 && zeros_ <= kMost;
  if (!sizes || std::isinf(lo_) || std::isinf(hi_)) throw InputError("histogram", "numbers out of range");
  if (!state.bins.empty()) bins_.resize(static_cast<std::size_t>(kBins));
  for (const auto& [bin, count] : state.bins) {
    if (bin < 0 || bin >= kBins || count < 0 || count > kMost - others_)
      throw InputError("histogram", "a bin that there is not, or a count out of range");
    bins_[static_cast<std::size_t>(bin)] += count;
    others_ += count;
  }
  const double reach = static_cast<double>(kSide) * bin_width();
  if (lo_ < -reach || hi_ > reach) throw InputError("histogram", "a range wider than its bins");
}

numeric::Range Histogram::observe(std::span<const float> values) {
  if (values.empty()) return {};
  const Extremes e = extremes_of(values);
  lo_ = empty() ? e.lo : std::min(lo_, e.lo);
  hi_ = empty() ? e.hi : std::max(hi_, e.hi);
  zeros_ += e.zeros;
  others_ += static_cast<std::int64_t>(values.size()) - e.zeros;
  if (e.lo == 0.0F && e.hi == 0.0F) return {};
  hold(std::max(-e.lo, e.hi));
  const auto scale = static_cast<float>(std::ldexp(1.0, -exponent_));  // the product is exact
  add_to_bins(values, scale, bins_.data() + kSide);
  return {e.lo, e.hi};
}

void Histogram::merge(const Histogram& other) {
  if (other.empty()) return;
  lo_ = empty() ? other.lo_ : std::min(lo_, other.lo_);
  hi_ = empty() ? other.hi_ : std::max(hi_, other.hi_);
  zeros_ += other.zeros_;
  others_ += other.others_;
  if (other.bins_.empty()) return;
  Histogram own = other;
  if (bins_.empty()) {
    bins_.resize(static_cast<std::size_t>(kBins));
    exponent_ = own.exponent_;
  }
  const int exponent = std::max(exponent_, own.exponent_);
  widen(exponent);
  own.widen(exponent);
  for (std::size_t b = 0; b < bins_.size(); ++b) bins_[b] += own.bins_[b];
}

// Makes room for values of this size.
void Histogram::hold(float magnitude) {
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude < 2^exponent
  exponent = std::max(exponent - 11, kMinExponent);
  static_assert(kSide == 1 << 11);
  if (bins_.empty()) {
    bins_.resize(static_cast<std::size_t>(kBins));
    exponent_ = exponent;
  }
  if (exponent > exponent_) widen(exponent);
}

// Bins of 2^exponent: each takes 2^(exponent − exponent_) neighbours.
void Histogram::widen(int exponent) {
  const int by = std::min(exponent - exponent_, 31);
  exponent_ = exponent;
  if (by == 0) return;
  std::vector<std::int64_t> wide(bins_.size());
  for (std::int32_t m = 0; m < kSide; ++m) {
    wide[static_cast<std::size_t>(kSide + (m >> by))] += bins_[static_cast<std::size_t>(kSide + m)];
    wide[static_cast<std::size_t>(kSide - 1 - (m >> by))] += bins_[static_cast<std::size_t>(kSide - 1 - m)];
  }
  bins_ = std::move(wide);
}

numeric::Range Histogram::range() const { return {lo_, hi_}; }

double Histogram::mean() const {
  if (empty()) return 0.0;
  double sum = 0.0;
  for (std::size_t b = 0; b < bins_.size(); ++b)
    sum += static_cast<double>(bins_[b]) * middle(static_cast<int>(b));
  return sum / static_cast<double>(count());
}

double Histogram::variance() const {
  if (empty()) return 0.0;
  const double center = mean();
  double sum = static_cast<double>(zeros_) * center * center;
  for (std::size_t b = 0; b < bins_.size(); ++b) {
    const double distance = middle(static_cast<int>(b)) - center;
    sum += static_cast<double>(bins_[b]) * distance * distance;
  }
  const double width = bin_width();
  const double correction = static_cast<double>(others_) * width * width / 12.0;
  return std::max(0.0, sum - correction) / static_cast<double>(count());
}

}  // namespace halftone::quant
