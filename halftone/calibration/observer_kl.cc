#include <algorithm>
#include <cmath>

#include "halftone/calibration/observer.h"

namespace halftone::calibration {
namespace {

// A histogram and its prefix sums: what groups of bins hold, without adding them up again.
class Distribution {
 public:
  explicit Distribution(std::vector<double> bins) : bins_(std::move(bins)) {
    counts_.push_back(0.0);
    filled_.push_back(0.0);
    logs_.push_back(0.0);
    for (double bin : bins_) {
      counts_.push_back(counts_.back() + bin);
      filled_.push_back(filled_.back() + (bin > 0.0 ? 1.0 : 0.0));
      logs_.push_back(logs_.back() + times_log(bin));
    }
  }
  // x·log(x), 0 at 0.
  static double times_log(double x) { return x > 0.0 ? x * std::log(x) : 0.0; }
  int size() const { return static_cast<int>(bins_.size()); }
  double at(int bin) const { return bins_[static_cast<std::size_t>(bin)]; }
  double count(int first, int last) const { return difference(counts_, first, last); }
  double filled(int first, int last) const { return difference(filled_, first, last); }
  // Σ count·log(count).
  double logs(int first, int last) const { return difference(logs_, first, last); }

 private:
  static double difference(const std::vector<double>& sums, int first, int last) {
    return sums[static_cast<std::size_t>(last)] - sums[static_cast<std::size_t>(first)];
  }
  std::vector<double> bins_;
  std::vector<double> counts_;
  std::vector<double> filled_;
  std::vector<double> logs_;
};

// count·log(count/filled) of groups of bins. Thresholds ask for the same groups again and again, by turns of
// two widths.
class GroupLogs {
 public:
  explicit GroupLogs(const Distribution& d) : d_(d), known_(static_cast<std::size_t>(2 * d.size())) {}

  double of(int from, int to) {
    const int width = to - from;
    Known& known = known_[static_cast<std::size_t>(2 * from + width % 2)];
    if (known.width != width) {
      const double count = d_.count(from, to);
      known = {width, count > 0.0 ? count * std::log(count / d_.filled(from, to)) : 0.0};
    }
    return known.value;
  }

 private:
  struct Known {
    int width = 0;
    double value = 0.0;
  };
  const Distribution& d_;
  std::vector<Known> known_;
};

// Σ P·log(P/Q) of the bins [first, last). P has what lies outside in its first and last bin. Q is what
// 2^bits equal groups of bins, bits ≥ 1, tell of P: each group's count without the outliers, spread over
// those of its bins that P fills. Groups get ⌊(j + 1)·n/2^bits⌋ − ⌊j·n/2^bits⌋ bins, so that none takes what
// is left over.
double divergence(const Distribution& d, GroupLogs& groups, int first, int last, int bits) {
  const int levels = 1 << bits;
  const double before = d.count(0, first);
  const double behind = d.count(last, d.size());
  const double inside = d.count(first, last);
  if (inside <= 0.0) return std::numeric_limits<double>::infinity();
  const auto begin_of = [&](int j) {
    return first + static_cast<int>(std::int64_t{j} * (last - first) >> bits);
  };
  // A group with outliers in this bin. Outliers alone: as much as one in ten thousand, as Q has to be told
  // from nothing.
  const auto with_outliers = [&](int from, int to, int bin, double outliers) {
    const double p = d.count(from, to) + outliers;
    const double filled = d.filled(from, to) + (outliers > 0.0 && d.at(bin) == 0.0 ? 1.0 : 0.0);
    return p > 0.0 ? p * std::log(std::max(d.count(from, to), 1e-4) / filled) : 0.0;
  };
  // Σ count·log(Q·inside), then as parts of the total P·log(P) − P·log(Q).
  const int second = begin_of(1);
  const int end = begin_of(levels - 1);
  double spread = with_outliers(first, second, first, before) + with_outliers(end, last, last - 1, behind);
  for (int j = 1, from = second; j < levels - 1; ++j) {
    const int to = begin_of(j + 1);
    spread += groups.of(from, to);
    from = to;
  }
  const double own = Distribution::times_log(d.at(first) + before) + d.logs(first + 1, last - 1) +
                     Distribution::times_log(d.at(last - 1) + behind);
  const double total = before + inside + behind;
  return (own - spread) / total - std::log(total) + std::log(inside);
}

// Both sides as magnitudes: a symmetric format treats them alike.
Distribution folded(const Histogram& h) {
  std::vector<double> bins(Histogram::kSide);
  for (std::size_t m = 0; m < bins.size(); ++m)
    bins[m] = static_cast<double>(h.bins()[Histogram::kSide + m] + h.bins()[Histogram::kSide - 1 - m]);
  return Distribution(std::move(bins));
}

Distribution unfolded(const Histogram& h) {
  return Distribution(std::vector<double>(h.bins().begin(), h.bins().end()));
}

constexpr int kReaches = 512;  // thresholds that are tried

int bins_to(double magnitude, const Histogram& h) {
  return std::min(Histogram::kSide, static_cast<int>(std::floor(magnitude / h.bin_width())) + 1);
}

}  // namespace

numeric::Range kl_divergence(const Statistics& seen, const Target& target, double) {
  const Histogram& h = seen.histogram();
  const numeric::Range full = h.range();
  if (h.bins().empty()) return full;
  const bool fold = target.scheme == numeric::Scheme::symmetric && target.format.is_signed;
  const Distribution distribution = fold ? folded(h) : unfolded(h);
  GroupLogs groups(distribution);
  const int bits = std::max(1, target.format.bits - (fold ? 1 : 0));
  const int below = full.lo < 0.0 ? bins_to(-full.lo, h) : 0;
  const int above = full.hi > 0.0 ? bins_to(full.hi, h) : 0;
  const int widest = std::max(below, above);
  double least = std::numeric_limits<double>::infinity();
  int best = widest;
  for (int reach = widest; reach > 0; reach -= std::max(1, widest / kReaches)) {
    const int first = fold ? 0 : Histogram::kSide - std::min(reach, below);
    const int last = fold ? reach : Histogram::kSide + std::min(reach, above);
    if (last - first < 1 << bits) break;
    const double now = divergence(distribution, groups, first, last, bits);
    if (now < least) {
      least = now;
      best = reach;
    }
  }
  const double threshold = best * h.bin_width();
  return {std::max(full.lo, -threshold), std::min(full.hi, threshold)};
}

}  // namespace halftone::calibration
