#include "halftone/quant/histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "halftone/base/error.h"

namespace halftone::quant {
namespace {

constexpr std::size_t kRun = 64;  // neighbours that are counted together where not all are

struct Extremes {
  float lo;
  float hi;
};

[[noreturn]] void refuse(std::span<const float> values) {
  const bool nan = std::ranges::any_of(values, [](float v) { return std::isnan(v); });
  throw InputError("observe", nan ? "a value is not a number (NaN)" : "a value is infinite");
}

// Numbers that are compared at once: a register of any machine's, as GCC and Clang have them.
constexpr std::size_t kLanes = 4;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

// v·0 is not 0 for NaN and infinity.
Extremes extremes_of(std::span<const float> values) {
  Extremes e{values[0], values[0]};
  Lanes lo = Lanes{} + values[0];
  Lanes hi = lo;
  Lanes other_lo = lo;
  Lanes other_hi = lo;
  Lanes wrong{};
  std::size_t i = 0;
  for (; i + 2 * kLanes <= values.size(); i += 2 * kLanes) {
    Lanes v;
    Lanes w;
    std::memcpy(&v, values.data() + i, sizeof v);
    std::memcpy(&w, values.data() + i + kLanes, sizeof w);
    lo = v < lo ? v : lo;
    hi = v > hi ? v : hi;
    other_lo = w < other_lo ? w : other_lo;
    other_hi = w > other_hi ? w : other_hi;
    wrong += v * 0.0F + w * 0.0F;
  }
  lo = other_lo < lo ? other_lo : lo;
  hi = other_hi > hi ? other_hi : hi;
  float all_wrong = 0.0F;
  for (; i < values.size(); ++i) {
    e = {std::min(e.lo, values[i]), std::max(e.hi, values[i])};
    all_wrong += values[i] * 0.0F;
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    e = {std::min(e.lo, lo[lane]), std::max(e.hi, hi[lane])};
    all_wrong += wrong[lane];
  }
  if (all_wrong != 0.0F) refuse(values);
  return {e.lo + 0.0F, e.hi + 0.0F};  // no -0
}

// Adds what is not zero, each `weight` times, to the bins on both sides of `first`, the one that begins at zero, and
// returns how many are zero. Short loops: the first works on several values at a time, and zeros, often half of all, would wait for each
// other in their one bin.
std::int64_t add_to_bins(std::span<const float> values, float scale, std::int64_t weight, std::int64_t* first) {
  std::array<std::int32_t, kRun> bins;
  std::size_t zeros = 0;
  for (; !values.empty(); values = values.subspan(std::min(kRun, values.size()))) {
    const std::size_t size = std::min(kRun, values.size());
    for (std::size_t i = 0; i < size; ++i) {
      const auto m = static_cast<std::int32_t>(std::fabs(values[i]) * scale);
      bins[i] = values[i] < 0.0F ? ~m : m;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size; ++i) {
      bins[kept] = bins[i];
      kept += values[i] != 0.0F ? 1 : 0;
    }
    for (std::size_t i = 0; i < kept; ++i) first[bins[i]] += weight;
    zeros += size - kept;
  }
  return static_cast<std::int64_t>(zeros);
}

// One of `of` at random, by number and seed alone (Steele et al., Fast splittable pseudorandom number generators, 2014).
std::size_t choose(std::uint64_t seed, std::uint64_t number, std::size_t of) {
  std::uint64_t z = (seed << 32) + number + 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<std::size_t>((z ^ (z >> 31)) % of);
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
  if (!state.bins.empty() || exponent_ > kMinExponent) bins_.resize(static_cast<std::size_t>(kBins));
  for (const auto& [bin, count] : state.bins) {
    if (bin < 0 || bin >= kBins || count < 0 || count > kMost - others_)
      throw InputError("histogram", "a bin that there is not, or a count out of range");
    bins_[static_cast<std::size_t>(bin)] += count;
    others_ += count;
  }
  seen_ = zeros_ + others_ > 0 || lo_ != 0.0F || hi_ != 0.0F;
  const double reach = static_cast<double>(kSide) * bin_width();
  if (lo_ < -reach || hi_ > reach) throw InputError("histogram", "a range wider than its bins");
}

numeric::Range Histogram::observe(std::span<const float> values, HistogramPart part) {
  if (values.empty()) return {};
  const Extremes e = extremes_of(values);
  lo_ = seen_ ? std::min(lo_, e.lo) : e.lo;
  hi_ = seen_ ? std::max(hi_, e.hi) : e.hi;
  seen_ = true;
  const bool all_zero = e.lo == 0.0F && e.hi == 0.0F;
  if (!all_zero) hold(std::max(-e.lo, e.hi));
  const auto scale = static_cast<float>(std::ldexp(1.0, -exponent_));  // the product is exact
  const auto count = [&](std::span<const float> some) {
    const auto size = static_cast<std::int64_t>(some.size());
    const auto weight = static_cast<std::int64_t>(part.of);
    const std::int64_t zeros = all_zero ? size : add_to_bins(some, scale, weight, bins_.data() + kSide);
    zeros_ += weight * zeros;
    others_ += weight * (size - zeros);
  };
  if (part.of <= 1) {
    count(values);
    return {e.lo, e.hi};
  }
  for (std::size_t i = 0; i < values.size(); i += kRun * part.of) {
    const std::size_t from = i + kRun * choose(part.seed, i, part.of);
    if (from < values.size()) count(values.subspan(from, std::min(kRun, values.size() - from)));
  }
  return {e.lo, e.hi};
}

void Histogram::merge(const Histogram& other) {
  if (!other.seen_) return;
  lo_ = seen_ ? std::min(lo_, other.lo_) : other.lo_;
  hi_ = seen_ ? std::max(hi_, other.hi_) : other.hi_;
  seen_ = true;
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
