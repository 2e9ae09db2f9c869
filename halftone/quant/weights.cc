#include "halftone/quant/weights.h"

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/numeric/bias.h"

namespace halftone::quant {
namespace {

// docs/arithmetic.md section 3 once the scale is given: z from the stored s and the same range.
numeric::Affine with_scale(float scale, double lo, const numeric::Affine& old,
                           const numeric::WeightSpec& spec) {
  if (spec.scheme == numeric::Scheme::symmetric || lo == 0.0) return {scale, old.zero_point};
  const double zero = numeric::round_real(spec.format.qmin() - lo / scale, numeric::Rounding::half_even);
  return {scale, static_cast<std::int32_t>(std::clamp<double>(zero, spec.format.qmin(), spec.format.qmax()))};
}

}  // namespace

QuantizedWeights quantize_weights(const Tensor& weights, std::span<const float> bias, float s_x,
                                  const numeric::WeightSpec& spec, std::span<const numeric::Range> ranges) {
  std::vector<numeric::Range> whole;
  if (ranges.empty()) ranges = whole = numeric::weight_ranges(weights, spec);
  QuantizedWeights result;
  result.params = numeric::params_from_ranges(weights, spec, ranges);
  std::vector<numeric::Affine>& affine = result.params.affine;
  if (spec.granularity != numeric::Granularity::group) {
    for (std::size_t c = 0; c < bias.size(); ++c) {
      const std::size_t i = affine.size() == 1 ? 0 : c;
      const float scale = numeric::weight_scale_for_bias(bias[c], s_x, affine[i].scale, spec.power_of_two);
      if (scale == affine[i].scale) continue;
      affine[i] = with_scale(scale, ranges[i].lo, affine[i], spec);
      result.raised.push_back(static_cast<std::int64_t>(c));
    }
    for (std::size_t c = 0; c < bias.size(); ++c)
      result.bias.push_back(numeric::quantize_bias(bias[c], s_x, affine[affine.size() == 1 ? 0 : c].scale));
  }
  result.q = numeric::quantize(weights, result.params);
  return result;
}

}  // namespace halftone::quant
