#include "halftone/kernels/linear/neighbours.h"

#include <algorithm>

namespace halftone::kernels {
namespace {

template <typename T>
std::vector<T> repeated(std::span<const T> all, std::int64_t times) {
  std::vector<T> result;
  for (std::int64_t i = 0; i < times; ++i) result.insert(result.end(), all.begin(), all.end());
  return result;
}

std::int64_t depth_of(const LinearWeights& weights, std::int64_t together) {
  return weights.depth + (together - 1) * weights.x_pixel / size_of(weights.x);
}

// The weights of one pixel for `together` of them, channel by channel for each.
struct Widened {
  Widened(const LinearWeights& one, const Requantization& r, std::int64_t together)
      : bias(repeated(one.bias, together)), bound(repeated(one.bound, together)), requantization(r), weights(one) {
    const std::int64_t depth = depth_of(one, together);
    const std::int64_t step = one.x_pixel / size_of(one.x);
    w.resize(static_cast<std::size_t>(together * one.channels * one.taps * depth));
    for (std::int64_t pixel = 0; pixel < together; ++pixel)
      for (std::int64_t row = 0; row < one.channels * one.taps; ++row)
        std::copy_n(one.w.begin() + row * one.depth, one.depth, w.begin() + (pixel * one.channels * one.taps + row) * depth + pixel * step);
    for (const TapRange& range : one.ranges) ranges.push_back({range.first, range.count, repeated(std::span(range.bias), together)});
    requantization.m = repeated(std::span(r.m), together);
    requantization.shift = repeated(std::span(r.shift), together);
    requantization.M = repeated(std::span(r.M), together);
    weights.channels = together * one.channels;
    weights.depth = depth;
    weights.w = w;
    weights.bias = bias;
    weights.bound = bound;
    weights.ranges = ranges;
  }
  Widened(const Widened&) = delete;

  std::vector<std::int16_t> w;
  std::vector<std::int32_t> bias;
  std::vector<std::int64_t> bound;
  std::vector<TapRange> ranges;
  Requantization requantization;
  LinearWeights weights;
};

class Neighbours : public Linear {
 public:
  Neighbours(PackLinear pack, const LinearWeights& w, const Requantization& r, std::int64_t together)
      : together_(together), x_pixel_(w.x_pixel), y_pixel_(w.channels * size_of(w.y)), one_(pack(w, r)) {
    const Widened widened(w, r, together);
    some_ = pack(widened.weights, widened.requantization);
  }
  std::int64_t panels() const override { return 1; }  // of either: 64 channels at most
  int weight_bits() const override { return one_->weight_bits(); }

  void run(const LinearRun& rows, std::int64_t) const override {
    const bool together = rows.x_pixel == x_pixel_ && rows.y_pixel == y_pixel_;
    LinearRun some = rows;
    some.pixels = together ? rows.pixels / together_ : 0;
    some.x_pixel *= together_;
    some.y_pixel *= together_;
    if (some.pixels > 0) some_->run(some, 0);
    LinearRun rest = rows;
    rest.pixels -= some.pixels * together_;
    rest.x += some.pixels * some.x_pixel;
    rest.y += some.pixels * some.y_pixel;
    if (rest.pixels > 0) one_->run(rest, 0);
  }

 private:
  std::int64_t together_;
  std::ptrdiff_t x_pixel_;
  std::ptrdiff_t y_pixel_;
  std::unique_ptr<Linear> one_;
  std::unique_ptr<Linear> some_;
};

}  // namespace

std::int64_t neighbours_together(const LinearWeights& weights) {
  constexpr std::int64_t kMost = 8;
  constexpr std::int64_t kFinish = 6;  // products that take as long as what follows them for a register of sums
  std::int64_t best = 1;
  double least = 0.0;
  for (std::int64_t count = 1; count <= (weights.x_pixel > 0 ? kMost : 1); ++count) {
    const std::int64_t channels = count * weights.channels;
    if (channels > 64) break;
    const std::int64_t lanes = channels <= 16 ? 16 : channels <= 32 ? 32 : 64;
    const std::int64_t steps = weights.taps * ((depth_of(weights, count) * size_of(weights.x) + 3) / 4);
    const double cost = static_cast<double>(lanes * (steps + kFinish)) / static_cast<double>(count);
    if (count > 1 && cost > least) continue;
    best = count;
    least = cost;
  }
  return best;
}

std::unique_ptr<Linear> pack_neighbours(PackLinear pack, const LinearWeights& weights, const Requantization& requantization, std::int64_t together) {
  return std::make_unique<Neighbours>(pack, weights, requantization, together);
}

}  // namespace halftone::kernels
