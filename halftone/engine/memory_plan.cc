#include "halftone/engine/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace halftone::engine {

MemoryPlan plan_memory(const std::vector<Lifetime>& lifetimes) {
  MemoryPlan plan{.offsets = std::vector<std::size_t>(lifetimes.size(), 0)};
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return lifetimes[i].bytes; });
  const auto size_of = [&](std::size_t i) { return (lifetimes[i].bytes + kSlack + kAlignment - 1) / kAlignment * kAlignment; };
  std::vector<std::size_t> placed;  // by offset
  for (std::size_t i : order) {
    std::size_t offset = 0;
    for (std::size_t other : placed) {
      const bool together = lifetimes[other].first <= lifetimes[i].last && lifetimes[i].first <= lifetimes[other].last;
      if (!together) continue;
      if (offset + size_of(i) <= plan.offsets[other]) break;
      offset = std::max(offset, plan.offsets[other] + size_of(other));
    }
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, offset + size_of(i));
    placed.insert(std::ranges::upper_bound(placed, offset, {}, [&](std::size_t p) { return plan.offsets[p]; }), i);
  }
  return plan;
}

}  // namespace halftone::engine
