#include "cli/layer_numbers.h"

#include "halftone/numeric/affine.h"
#include "halftone/qgraph/multipliers.h"

namespace halftone::cli {

using Json = nlohmann::json;

Json fraction_length(float scale) { return numeric::is_power_of_two(scale) ? Json(-numeric::exponent_of(scale)) : Json(); }

Json grid_json(const numeric::Grid& grid) {
  return {{"scale", grid.affine.scale},
          {"zero_point", grid.affine.zero_point},
          {"bits", grid.format.bits},
          {"signed", grid.format.is_signed},
          {"fraction_length", fraction_length(grid.affine.scale)}};
}

Json weight_scales_json(const qgraph::Linear& linear) {
  Json scales = Json::array();
  Json zero_points = Json::array();
  Json lengths = Json::array();
  for (const numeric::Affine& affine : linear.w_params.affine) {
    scales.push_back(affine.scale);
    zero_points.push_back(affine.zero_point);
    lengths.push_back(fraction_length(affine.scale));
  }
  return {{"scales", std::move(scales)}, {"zero_points", std::move(zero_points)}, {"fraction_lengths", std::move(lengths)}};
}

Json multipliers_json(const qgraph::QuantizedGraph& graph, const qgraph::Node& node) {
  const std::optional<qgraph::Multipliers> found = qgraph::multipliers_of(graph, node);
  if (!found) return {};
  return {{"by", found->by}, {"bits", found->bits}, {"M", found->M}, {"M0", found->M0}, {"n", found->n}, {"m", found->m}, {"shift", found->shift}};
}

}  // namespace halftone::cli
