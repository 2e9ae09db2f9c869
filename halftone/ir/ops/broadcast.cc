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
  std::vector<std::int64_t> index(static_cast<std::size_t>(element_count(to)));
  const std::size_t lead = to.size() - from.size();
  for (std::size_t i = 0; i < index.size(); ++i) {
    auto rest = static_cast<std::int64_t>(i);
    std::int64_t stride = 1;
    for (std::size_t d = to.size(); d-- > lead;) {
      const std::int64_t dim = from[d - lead];
      if (dim != 1) index[i] += rest % to[d] * stride;
      rest /= to[d];
      stride *= dim;
    }
  }
  return index;
}

}  // namespace halftone::ir
