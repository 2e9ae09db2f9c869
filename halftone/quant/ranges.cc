#include "halftone/quant/ranges.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/quant/assignment.h"

namespace halftone::quant {

namespace {

using ClassRanges = std::map<ir::ValueId, numeric::Range>;

// By representative of a scale.
ClassRanges set_ranges(const ir::Graph& graph, const Plan& plan, const RangeTable& set) {
  ClassRanges result;
  for (const auto& [name, range] : set) {
    const auto id = graph.find(name);
    if (!id || !plan.quantized[static_cast<std::size_t>(*id)])
      throw InputError("quantize", fmt::format("a range is set for '{}', which is no quantized value", name));
    const auto [at, added] = result.try_emplace(plan.scale_class[static_cast<std::size_t>(*id)], range);
    at->second = {std::min(at->second.lo, range.lo), std::max(at->second.hi, range.hi)};
  }
  return result;
}

// Statistics of all values that share a scale, unless one is set.
std::map<ir::ValueId, calibration::Statistics> class_statistics(const ir::Graph& graph, const Plan& decided,
                                                   const calibration::StatisticsTable& seen, const ClassRanges& set) {
  std::map<ir::ValueId, calibration::Statistics> classes;
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    if (!decided.quantized[v] || set.contains(decided.scale_class[v])) continue;
    const auto found = seen.find(graph.values[v].name);
    if (found == seen.end())
      throw InputError("quantize", fmt::format("no range for value '{}'", graph.values[v].name));
    classes[decided.scale_class[v]].merge(found->second);
  }
  return classes;
}

}  // namespace

RangeTable choose_ranges(const ir::Graph& graph, const calibration::StatisticsTable& seen, const Recipe& recipe,
                         const RangeTable& set) {
  const Assignment assigned = assign(graph, recipe);
  const Plan& decided = assigned.plan;
  ClassRanges chosen = set_ranges(graph, decided, set);
  for (const auto& [representative, statistics] : class_statistics(graph, decided, seen, chosen)) {
    const ActivationRecipe& to = assigned.activations[static_cast<std::size_t>(representative)];
    chosen[representative] = to.observer.choose(statistics, {to.format, to.scheme, to.power_of_two});
  }
  RangeTable table;
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (decided.quantized[v]) table[graph.values[v].name] = chosen.at(decided.scale_class[v]);
  return table;
}

std::vector<Shortage> shortages(const ir::Graph& graph, const calibration::StatisticsTable& seen, const Recipe& recipe,
                                const RangeTable& set) {
  const Assignment assigned = assign(graph, recipe);
  std::vector<Shortage> result;
  for (const auto& [representative, statistics] : class_statistics(graph, assigned.plan, seen, set_ranges(graph, assigned.plan, set))) {
    const auto v = static_cast<std::size_t>(representative);
    const ActivationRecipe& to = assigned.activations[v];
    const std::int64_t levels = std::min<std::int64_t>(std::int64_t{1} << to.format.bits, calibration::Histogram::kSide);
    const std::int64_t wanted = to.observer.observer->values_a_level * levels;
    const std::int64_t count = statistics.histogram().count();
    if (count < wanted) result.push_back({graph.values[v].name, to.observer, count, wanted});
  }
  return result;
}

}  // namespace halftone::quant
