#include "halftone/quant/ranges.h"

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/quant/assignment.h"

namespace halftone::quant {

RangeTable choose_ranges(const ir::Graph& graph, const StatisticsTable& seen, const Recipe& recipe) {
  const Assignment assigned = assign(graph, recipe);
  const Plan& decided = assigned.plan;
  std::map<ir::ValueId, Statistics> classes;
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    if (!decided.quantized[v]) continue;
    const auto found = seen.find(graph.values[v].name);
    if (found == seen.end())
      throw InputError("quantize", fmt::format("no range for value '{}'", graph.values[v].name));
    classes[decided.scale_class[v]].merge(found->second);
  }
  std::map<ir::ValueId, numeric::Range> chosen;
  for (const auto& [representative, statistics] : classes) {
    const ActivationRecipe& to = assigned.activations[static_cast<std::size_t>(representative)];
    chosen[representative] = to.observer.choose(statistics, {to.format, to.scheme, to.power_of_two});
  }
  RangeTable table;
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (decided.quantized[v]) table[graph.values[v].name] = chosen.at(decided.scale_class[v]);
  return table;
}

}  // namespace halftone::quant
