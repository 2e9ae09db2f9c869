#include "halftone/qat/row_order.h"

#include <numeric>
#include <utility>

namespace halftone::qat {
namespace {

// Uniform in [0, bound): draws that would favour small remainders are thrown away.
std::uint64_t below(std::uint64_t bound, std::mt19937_64& random) {
  const std::uint64_t unfair = (0 - bound) % bound;
  std::uint64_t draw = random();
  while (draw < unfair) draw = random();
  return draw % bound;
}

}  // namespace

std::vector<std::int64_t> random_row_order(std::int64_t count, std::mt19937_64& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[below(i, random)]);
  return order;
}

}  // namespace halftone::qat
