#include "halftone/ir/ops/broadcast.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::ir {

Shape broadcast_shape(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1)
      throw InputError("broadcast",
                       fmt::format("shapes do not broadcast, got {} and {}", to_string(a), to_string(b)));
    result[result.size() - 1 - i] = da == 1 ? db : da;
  }
  return result;
}

std::vector<std::int64_t> broadcast_index(const Shape& from, const Shape& to) {
  const std::size_t lead = to.size() - from.size();
  std::vector<std::int64_t> index{0};  // of the dimensions so far
  for (std::size_t d = 0; d < to.size(); ++d) {
    const bool repeats = d < lead || from[d - lead] == 1;
    const std::int64_t stride = repeats ? 0 : product(from, d - lead + 1, from.size());
    std::vector<std::int64_t> longer;
    longer.reserve(index.size() * static_cast<std::size_t>(to[d]));
    for (const std::int64_t first : index)
      for (std::int64_t i = 0; i < to[d]; ++i) longer.push_back(first + i * stride);
    index = std::move(longer);
  }
  return index;
}

}  // namespace halftone::ir
