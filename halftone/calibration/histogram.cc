#include "halftone/calibration/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "halftone/base/error.h"
#include "halftone/base/widest_vectors.h"

namespace halftone::calibration {
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

// v·0 is not 0 for NaN and infinity.
template <typename Lanes>
Extremes extremes_in(std::span<const float> values) {
  constexpr std::size_t kLanes = sizeof(Lanes) / sizeof(float);
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

Extremes extremes_of(std::span<const float> values) {
  Extremes found;
  on_widest_vectors([&](auto floats) { found = extremes_in<typename decltype(floats)::type>(values); });
  return found;
}

// Adds runs of values, each `weight` times, to the bins on both sides of `first`, the one that begins at
// zero. Zeros, often half of all, would wait for each other in one bin: a run's go to that of their place,
// and are taken out at last.
class RunCounter {
 public:
  RunCounter(float scale, std::int64_t weight, std::int64_t* first)
      : scale_(scale), weight_(weight), first_(first) {}

  void add(std::span<const float> run) {
    std::array<std::int32_t, kRun> bins;
    for (std::size_t i = 0; i < run.size(); ++i) {
      const auto m = static_cast<std::int32_t>(std::fabs(run[i]) * scale_);
      const std::int32_t bin = run[i] < 0.0F ? ~m : m;
      const bool zero = run[i] == 0.0F;
      bins[i] = zero ? static_cast<std::int32_t>(i) : bin;
      zeros_[i] += zero ? 1 : 0;
    }
    for (std::size_t i = 0; i < run.size(); ++i) first_[bins[i]] += weight_;
  }
  // How many zeros were added, and are no more.
  std::int64_t take_zeros() {
    for (std::size_t i = 0; i < kRun; ++i) first_[i] -= weight_ * zeros_[i];
    return std::accumulate(zeros_.begin(), zeros_.end(), std::int64_t{0});
  }

 private:
  float scale_;
  std::int64_t weight_;
  std::int64_t* first_;
  std::array<std::int32_t, kRun> zeros_{};
};

// One of `of` at random, by number and seed alone (Steele et al., Fast splittable pseudorandom number
// generators, 2014).
std::size_t choose(std::uint64_t seed, std::uint64_t number, std::size_t of) {
  std::uint64_t z = (seed << 32) + number + 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<std::size_t>((z ^ (z >> 31)) % of);
}

// The runs that are counted.
template <typename See>
void for_runs(std::span<const float> values, HistogramPart part, See see) {
  for (std::size_t i = 0; i < values.size(); i += kRun * part.of) {
    const std::size_t from = i + (part.of == 1 ? 0 : kRun * choose(part.seed, i, part.of));
    if (from < values.size()) see(values.subspan(from, std::min(kRun, values.size() - from)));
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
  if (!state.bins.empty() || exponent_ > kMinExponent) bins_.resize(static_cast<std::size_t>(kBins));
  std::vector<bool> given(bins_.size());
  for (const auto& [bin, count] : state.bins) {
    if (bin < 0 || bin >= kBins || count < 0 || count > kMost - others_)
      throw InputError("histogram", "a bin that there is not, or a count out of range");
    const auto at = static_cast<std::size_t>(bin);
    if (given[at]) throw InputError("histogram", fmt::format("bin {} is there twice, expected once", bin));
    if (count > 0 && !may_hold(static_cast<int>(bin)))
      throw InputError("histogram", fmt::format("a count in bin {}, outside what was seen, [{}, {}]", bin, lo_, hi_));
    given[at] = true;
    bins_[at] = count;
    others_ += count;
  }
  if (zeros_ > 0 && (lo_ > 0.0F || hi_ < 0.0F))
    throw InputError("histogram", fmt::format("zeros, which are outside what was seen, [{}, {}]", lo_, hi_));
  seen_ = zeros_ + others_ > 0 || lo_ != 0.0F || hi_ != 0.0F;
  const double reach = static_cast<double>(kSide) * bin_width();
  if (lo_ < -reach || hi_ > reach) throw InputError("histogram", "a range wider than its bins");
}

// Whether values between the extremes fall into the bin.
bool Histogram::may_hold(int bin) const {
  const bool negative = bin < kSide;
  const double magnitude = (negative ? kSide - 1 - bin : bin - kSide) * bin_width();
  const double least = negative ? -static_cast<double>(hi_) : lo_;
  const double most = negative ? -static_cast<double>(lo_) : hi_;
  return most > 0.0 && most >= magnitude && least < magnitude + bin_width();
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
  const auto weight = static_cast<std::int64_t>(part.of);
  std::int64_t size = 0;
  std::int64_t zeros = 0;
  on_widest_vectors([&](auto) {
    RunCounter counter(scale, weight, bins_.data() + (all_zero ? 0 : kSide));
    for_runs(values, part, [&](std::span<const float> run) {
      size += static_cast<std::int64_t>(run.size());
      if (!all_zero) counter.add(run);
    });
    zeros = all_zero ? size : counter.take_zeros();
  });
  zeros_ += weight * zeros;
  others_ += weight * (size - zeros);
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

}  // namespace halftone::calibration
