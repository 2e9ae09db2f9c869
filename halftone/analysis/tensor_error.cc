#include "halftone/analysis/tensor_error.h"

#include <algorithm>
#include <cmath>

namespace halftone::analysis {
namespace {

// The integer before it is clamped.
double unclamped(float x, const numeric::Affine& affine) {
  return std::nearbyint(x / affine.scale) + affine.zero_point;
}

void add_one(TensorError& error, float x, float x_hat, const numeric::Affine& affine) {
  const numeric::IntegerFormat& format = error.params.format;
  const double q = unclamped(x, affine);
  const double d = double{x} - x_hat;
  error.own += d * d;
  if (q >= format.qmin() && q <= format.qmax()) return;
  ++error.saturated;
  error.clipped += d * d;
}

double width_of(const numeric::Affine& affine, const numeric::IntegerFormat& format) {
  return double{affine.scale} * (format.qmax() - format.qmin());
}

// The mean over the scales of the part of each one's range that its weights take.
double used_by_weights(std::span<const float> w, const std::vector<std::int32_t>& index,
                       const numeric::QuantParams& params) {
  std::vector<numeric::Range> seen(params.affine.size(), {INFINITY, -INFINITY});
  for (std::size_t i = 0; i < w.size(); ++i) {
    numeric::Range& range = seen[static_cast<std::size_t>(index[i])];
    range.lo = std::min(range.lo, double{w[i]});
    range.hi = std::max(range.hi, double{w[i]});
  }
  double sum = 0.0;
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i].lo <= seen[i].hi)
      sum += (seen[i].hi - seen[i].lo) / width_of(params.affine[i], params.format);
  return sum / static_cast<double>(seen.size());
}

}  // namespace

double TensorError::saturation() const {
  return signal.count == 0 ? 0.0 : static_cast<double>(saturated) / static_cast<double>(signal.count);
}

double TensorError::clipped_share() const { return own == 0.0 ? 0.0 : clipped / own; }

TensorError unseen(std::string name, const numeric::QuantParams& params) {
  TensorError error{.name = std::move(name), .params = params};
  const numeric::IntegerFormat& format = params.format;
  error.clip = {INFINITY, -INFINITY};
  for (const numeric::Affine& affine : params.affine) {
    const double scale = affine.scale;
    error.clip.lo = std::min(error.clip.lo, scale * (format.qmin() - affine.zero_point));
    error.clip.hi = std::max(error.clip.hi, scale * (format.qmax() - affine.zero_point));
  }
  return error;
}

void add_quantized(TensorError& error, std::span<const float> x) {
  const numeric::Affine affine = error.params.tensor();
  const numeric::IntegerFormat& format = error.params.format;
  for (float v : x) {
    const double q = std::clamp<double>(unclamped(v, affine), format.qmin(), format.qmax());
    add_one(error, v, numeric::dequantize(static_cast<std::int32_t>(q), affine), affine);
  }
}

void add_sums(TensorError& error, const TensorError& other) {
  error.signal.add(other.signal);
  error.saturated += other.saturated;
  error.own += other.own;
  error.clipped += other.clipped;
  error.channels.add(other.channels);
}

void finish(TensorError& error) {
  const numeric::Range range = error.seen.range();
  error.used = (range.hi - range.lo) / width_of(error.params.tensor(), error.params.format);
}

TensorError weight_error(const std::string& name, const Tensor& weights, const MatchedLayer& layer) {
  TensorError error = unseen(name, layer.params);
  const auto w = weights.data<float>();
  const auto w_hat = layer.weights.data<float>();
  const std::vector<std::int32_t> index = numeric::affine_index(weights.shape(), layer.params);
  error.signal.add(w, w_hat);
  error.seen.observe(w);
  for (std::size_t i = 0; i < w.size(); ++i)
    add_one(error, w[i], w_hat[i], layer.params.affine[static_cast<std::size_t>(index[i])]);
  error.used = used_by_weights(w, index, layer.params);
  return error;
}

bool rounded_to_nearest(const Tensor& weights, const MatchedLayer& layer) {
  const auto w = weights.data<float>();
  const std::vector<std::int32_t> index = numeric::affine_index(weights.shape(), layer.params);
  const std::vector<std::int32_t> q = numeric::to_int32(layer.integers);
  const numeric::IntegerFormat& format = layer.params.format;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double nearest = unclamped(w[i], layer.params.affine[static_cast<std::size_t>(index[i])]);
    if (q[i] != std::clamp<double>(nearest, format.qmin(), format.qmax())) return false;
  }
  return true;
}

}  // namespace halftone::analysis
