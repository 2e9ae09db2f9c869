#include <algorithm>
#include <cmath>

#include "halftone/quant/observer.h"

namespace halftone::quant {
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

// Σ P·log(P/Q) of the bins [first, last). P has what lies outside in its first and last bin. Q is what
// `levels` equal groups of bins tell of P: each group's count without the outliers, spread over those of its
// bins that P fills. Groups get ⌊(j + 1)·n/levels⌋ − ⌊j·n/levels⌋ bins, so that none takes what is left over.
double divergence(const Distribution& d, int first, int last, int levels) {
  const double total = d.count(0, d.size());
  const double before = d.count(0, first);
  const double behind = d.count(last, d.size());
  const double inside = d.count(first, last);
  if (inside <= 0.0) return std::numeric_limits<double>::infinity();
  const int n = last - first;
  // Σ P·log(P), P = count/total with the outliers in the ends (n > 1, as there are two levels at least).
  double sum = Distribution::times_log(d.at(first) + before) + d.logs(first + 1, last - 1) +
               Distribution::times_log(d.at(last - 1) + behind);
  sum = sum / total - std::log(total);
  for (int j = 0; j < levels; ++j) {
    const int from = first + static_cast<int>(std::int64_t{j} * n / levels);
    const int to = first + static_cast<int>((std::int64_t{j} + 1) * n / levels);
    double p = d.count(from, to);
    double filled = d.filled(from, to);
    const auto add_outliers = [&](int bin, double outliers) {
      if (bin < from || bin >= to || outliers <= 0.0) return;
      p += outliers;
      filled += d.at(bin) > 0.0 ? 0.0 : 1.0;
    };
    add_outliers(first, before);
    add_outliers(last - 1, behind);
    if (p <= 0.0) continue;
    // Outliers alone: as much as one in ten thousand, as Q has to be told from nothing.
    const double q = std::max(d.count(from, to), 1e-4) / inside / filled;
    sum -= p / total * std::log(q);
  }
  return sum;
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
  const int levels = 1 << (target.format.bits - (fold ? 1 : 0));
  const int below = full.lo < 0.0 ? bins_to(-full.lo, h) : 0;
  const int above = full.hi > 0.0 ? bins_to(full.hi, h) : 0;
  const int widest = std::max(below, above);
  double least = std::numeric_limits<double>::infinity();
  int best = widest;
  for (int reach = widest; reach > 0; reach -= std::max(1, widest / kReaches)) {
    const int first = fold ? 0 : Histogram::kSide - std::min(reach, below);
    const int last = fold ? reach : Histogram::kSide + std::min(reach, above);
    if (last - first < levels) break;
    const double now = divergence(distribution, first, last, levels);
    if (now < least) {
      least = now;
      best = reach;
    }
  }
  const double threshold = best * h.bin_width();
  return {std::max(full.lo, -threshold), std::min(full.hi, threshold)};
}

}  // namespace halftone::quant
