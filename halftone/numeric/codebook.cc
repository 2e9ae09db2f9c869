#include "halftone/numeric/codebook.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::numeric {
namespace {

constexpr int kMostRounds = 200;

// A weight in steps of its scale, and what an error of one step counts.
struct Point {
  double steps;
  double weight;
  auto operator<=>(const Point&) const = default;
};

// Σ weight and Σ weight·steps of the points up to each.
struct Sums {
  std::vector<double> weight{0.0};
  std::vector<double> moment{0.0};

  explicit Sums(const std::vector<Point>& points) {
    for (const Point& point : points) {
      weight.push_back(weight.back() + point.weight);
      moment.push_back(moment.back() + point.weight * point.steps);
    }
  }
};

// Where in the sorted points each cluster ends: halfway to the next centre.
std::vector<std::size_t> ends_of(const std::vector<double>& centres, const std::vector<Point>& points) {
  std::vector<std::size_t> ends;
  for (std::size_t c = 0; c + 1 < centres.size(); ++c) {
    const double border = (centres[c] + centres[c + 1]) / 2.0;
    ends.push_back(static_cast<std::size_t>(
        std::ranges::upper_bound(points, border, {}, &Point::steps) - points.begin()));
  }
  ends.push_back(points.size());
  return ends;
}

std::vector<double> k_means(std::vector<Point> points, std::size_t count) {
  std::ranges::sort(points);
  const Sums sums(points);
  std::vector<double> centres;
  const double lo = points.front().steps;
  const double hi = points.back().steps;
  for (std::size_t c = 0; c < count; ++c)
    centres.push_back(count == 1 ? (lo + hi) / 2.0 : lo + (hi - lo) * static_cast<double>(c) / static_cast<double>(count - 1));
  std::vector<std::size_t> before;
  for (int round = 0; round < kMostRounds; ++round) {
    const std::vector<std::size_t> ends = ends_of(centres, points);
    if (ends == before) break;
    for (std::size_t c = 0; c < count; ++c) {
      const std::size_t first = c == 0 ? 0 : ends[c - 1];
      const double weight = sums.weight[ends[c]] - sums.weight[first];
      if (ends[c] > first && weight > 0.0) centres[c] = (sums.moment[ends[c]] - sums.moment[first]) / weight;
    }
    std::ranges::sort(centres);
    before = ends;
  }
  return centres;
}

std::vector<std::int32_t> k_means_entries(const Tensor& weights, const QuantParams& params, int bits) {
  const std::vector<std::int32_t> channel = affine_index(weights.shape(), params);
  std::vector<Point> points;
  for (std::size_t i = 0; i < channel.size(); ++i) {
    const double s = params.affine[static_cast<std::size_t>(channel[i])].scale;
    points.push_back({weights.data<float>()[i] / s, s * s});
  }
  if (points.empty()) return {0};
  std::vector<std::int32_t> entries;
  for (double centre : k_means(std::move(points), std::size_t{1} << bits))
    entries.push_back(static_cast<std::int32_t>(std::clamp<double>(round_real(centre, Rounding::half_even),
                                                                   params.format.qmin(), params.format.qmax())));
  return entries;
}

std::vector<std::int32_t> log2_entries(int largest) {
  std::vector<std::int32_t> entries{0};
  for (int j = 0; j <= largest; ++j)
    for (std::int32_t sign : {-1, 1}) entries.push_back(sign * (std::int32_t{1} << j));
  return entries;
}

// Scales that bring each range to ±reach.
QuantParams params_of(const Tensor& weights, int reach, Granularity granularity, int axis, bool power_of_two) {
  const WeightSpec spec{.format = {reach <= 127 ? 8 : 16, true, true}, .granularity = granularity, .axis = axis};
  QuantParams params = params_from_weights(weights, spec);
  const std::vector<Range> ranges = weight_ranges(weights, spec);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const double scale = std::max(-ranges[i].lo, ranges[i].hi) / reach;
    params.affine[i].scale = scale == 0.0   ? 1.0F
                             : power_of_two ? ceil_power_of_two(scale)
                                            : static_cast<float>(std::clamp<double>(scale, FLT_MIN, FLT_MAX));
  }
  return params;
}

}  // namespace

void check(CodebookKind kind, int bits) {
  const int least = kind == CodebookKind::k_means ? 1 : 2;
  const int most = kind == CodebookKind::k_means ? 8 : 5;
  if (bits < least || bits > most)
    throw UsageError("codebook", fmt::format("{} weights of {} bits, expected {} to {}",
                                             kind == CodebookKind::k_means ? "kmeans" : "log2", bits, least, most));
}

std::int32_t nearest_code(float w, const Codebook& codebook) {
  std::int32_t best = 0;
  double best_distance = INFINITY;
  for (std::size_t q = 0; q < codebook.entries.size(); ++q) {
    const double distance =
        std::fabs(static_cast<double>(w) - static_cast<double>(codebook.scale) * codebook.entries[q]);
    if (distance < best_distance) {
      best_distance = distance;
      best = static_cast<std::int32_t>(q);
    }
  }
  return best;
}

CodebookWeights codebook_weights(const Tensor& weights, CodebookKind kind, int bits, Granularity granularity, int axis,
                                 bool power_of_two) {
  check(kind, bits);
  if (granularity == Granularity::group)
    throw UsageError("codebook", "scales by group, expected by tensor or channel");
  const int largest = (1 << (bits - 1)) - 2;  // exponent of log2
  const int reach = kind == CodebookKind::k_means ? 127 : 1 << largest;
  CodebookWeights result;
  result.params = params_of(weights, reach, granularity, axis, power_of_two);
  result.entries =
      kind == CodebookKind::k_means ? k_means_entries(weights, result.params, bits) : log2_entries(largest);
  std::ranges::sort(result.entries);
  result.entries.erase(std::unique(result.entries.begin(), result.entries.end()), result.entries.end());
  const std::vector<std::int32_t> channel = affine_index(weights.shape(), result.params);
  Codebook codebook{result.entries, 1.0F};
  std::vector<std::int32_t> q;
  for (std::size_t i = 0; i < channel.size(); ++i) {
    codebook.scale = result.params.affine[static_cast<std::size_t>(channel[i])].scale;
    q.push_back(result.entries[static_cast<std::size_t>(nearest_code(weights.data<float>()[i], codebook))]);
  }
  result.integers = from_int32(weights.shape(), q, storage_dtype(result.params.format));
  return result;
}

}  // namespace halftone::numeric
