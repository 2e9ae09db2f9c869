#include "halftone/ir/channel_slopes.h"

#include <algorithm>
#include <cmath>

namespace halftone::ir {

std::optional<std::vector<float>> channel_slopes(const Tensor* slope, const Shape& x) {
  if (slope == nullptr || slope->dtype() != DType::float32) return std::nullopt;
  if (slope->size() == 0 || slope->rank() > x.size()) return std::nullopt;
  const std::size_t lead = x.size() - slope->rank();
  for (std::size_t d = 0; d < slope->rank(); ++d)
    if (slope->dim(d) != 1 && (d + lead != 1 || slope->dim(d) != x[1])) return std::nullopt;
  const auto values = slope->data<float>();
  if (std::ranges::any_of(values, [](float v) { return std::isnan(v); })) return std::nullopt;
  return std::vector<float>(values.begin(), values.end());
}

}  // namespace halftone::ir
