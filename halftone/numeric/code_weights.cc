#include "halftone/numeric/code_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::numeric {
namespace {

// Mean of |w| over the elements of every channel for which keep(channel, |w|); 0 where there are none.
template <typename Keep>
std::vector<double> mean_magnitude(std::span<const float> values, std::span<const std::int32_t> channel,
                                   std::size_t channels, Keep keep) {
  std::vector<double> sum(channels, 0.0);
  std::vector<double> count(channels, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto c = static_cast<std::size_t>(channel[i]);
    const double magnitude = std::fabs(static_cast<double>(values[i]));
    if (!keep(c, magnitude)) continue;
    sum[c] += magnitude;
    count[c] += 1.0;
  }
  for (std::size_t c = 0; c < channels; ++c) sum[c] = count[c] > 0.0 ? sum[c] / count[c] : 0.0;
  return sum;
}

// The α of a channel that is dead, or nearly: 2^−20 of the largest α, or of 1 where all are 0.
double least_of(const std::vector<double>& alpha) {
  const double most = alpha.empty() ? 0.0 : *std::ranges::max_element(alpha);
  return 0x1p-20 * (most > 0.0 ? most : 1.0);
}

float stored(double alpha, bool power_of_two) {
  return power_of_two ? ceil_power_of_two(alpha) : static_cast<float>(std::max<double>(alpha, FLT_MIN));
}

}  // namespace

CodedWeights code_weights(const Tensor& weights, Code code, Granularity granularity, int axis,
                          bool power_of_two) {
  if (granularity == Granularity::group)
    throw InputError("quantize", "binary and ternary weights by group, expected tensor or channel");
  CodedWeights result;
  QuantParams& params = result.params;
  params.format = {2, true, true};
  params.granularity = granularity;
  params.axis = granularity == Granularity::tensor ? -1 : axis;
  const bool whole = granularity == Granularity::tensor;
  if (!whole && (axis < 0 || axis >= static_cast<int>(weights.rank())))
    throw InputError("quantize",
                     fmt::format("channel axis {} outside shape {}", axis, to_string(weights.shape())));
  const std::size_t channels =
      whole ? 1 : static_cast<std::size_t>(weights.dim(static_cast<std::size_t>(axis)));
  params.affine.assign(channels, Affine{});
  const auto values = weights.data<float>();
  for (float w : values)
    if (!std::isfinite(w))
      throw InputError("quantize", fmt::format("weight is {}, expected a finite number", w));
  const std::vector<std::int32_t> channel = affine_index(weights.shape(), params);

  std::vector<double> mean =
      mean_magnitude(values, channel, channels, [](std::size_t, double) { return true; });
  std::vector<double> alpha = mean;
  std::vector<double> threshold(channels, -1.0);
  if (code == Code::ternary) {
    for (std::size_t c = 0; c < channels; ++c) threshold[c] = 0.7 * mean[c];
    alpha =
        mean_magnitude(values, channel, channels, [&](std::size_t c, double m) { return m > threshold[c]; });
  }
  const double least = least_of(alpha);
  for (std::size_t c = 0; c < channels; ++c)
    params.affine[c].scale = stored(std::max(alpha[c], least), power_of_two);

  std::vector<std::int32_t> q(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool zero =
        std::fabs(static_cast<double>(values[i])) <= threshold[static_cast<std::size_t>(channel[i])];
    q[i] = zero ? 0 : (values[i] < 0.0F ? -1 : 1);
  }
  result.integers = from_int32(weights.shape(), q, DType::int8);
  return result;
}

}  // namespace halftone::numeric
