#include "halftone/qgraph/linear.h"

namespace halftone::qgraph {

std::vector<std::int32_t> centred_weights(const Linear& linear) {
  std::vector<std::int32_t> w = numeric::to_int32(linear.q_w);
  if (!linear.codebook.empty()) {
    for (std::int32_t& q : w) q = linear.codebook.at(static_cast<std::size_t>(q));
    return w;
  }
  const std::vector<std::int32_t> index = numeric::affine_index(linear.q_w.shape(), linear.w_params);
  for (std::size_t i = 0; i < w.size(); ++i)
    w[i] -= linear.w_params.affine[static_cast<std::size_t>(index[i])].zero_point;
  return w;
}

}  // namespace halftone::qgraph
