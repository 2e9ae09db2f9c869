#include "halftone/qgraph/linear.h"

#include <algorithm>

namespace halftone::qgraph {

void centred_row(const Linear& linear, std::int64_t channel, std::span<std::int32_t> row) {
  const std::int64_t first = channel * linear.reduction;
  numeric::widen(linear.q_w, first, row);
  if (!linear.codebook.empty()) {
    for (std::int32_t& q : row) q = linear.codebook.at(static_cast<std::size_t>(q));
    return;
  }
  const numeric::AffineIndex index_of(linear.q_w.shape(), linear.w_params);
  const auto count = static_cast<std::int64_t>(row.size());
  for (std::int64_t k = 0; k < count;) {
    const std::int64_t run = std::min(index_of.run(first + k), count - k);
    const std::int32_t zero = linear.w_params.affine[static_cast<std::size_t>(index_of(first + k))].zero_point;
    if (zero != 0)
      for (std::int64_t i = k; i < k + run; ++i) row[static_cast<std::size_t>(i)] -= zero;
    k += run;
  }
}

std::vector<std::int32_t> centred_weights(const Linear& linear) {
  std::vector<std::int32_t> w(static_cast<std::size_t>(linear.q_w.size()));
  const auto reduction = static_cast<std::size_t>(linear.reduction);
  for (std::int64_t m = 0; m < linear.channels; ++m)
    centred_row(linear, m, std::span(w).subspan(static_cast<std::size_t>(m) * reduction, reduction));
  return w;
}

}  // namespace halftone::qgraph
