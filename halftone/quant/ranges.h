// The range of every quantized value, from what calibration saw.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/quant/recipe.h"
#include "halftone/calibration/statistics.h"

namespace halftone::quant {

using RangeTable = std::map<std::string, numeric::Range, std::less<>>;

// By value that `quantize` puts a pair behind, as the recipe's observer chooses it. Values that share a scale
// share one range, chosen from what was seen of all of them, or the union of those that are `set` among them.
// Throws InputError naming a value without statistics, or a set one that is none of the network's.
RangeTable choose_ranges(const ir::Graph& graph, const calibration::StatisticsTable& seen, const Recipe& recipe,
                         const RangeTable& set = {});

// A value of which too little was seen for its observer (Observer::values_a_level for each level of its format), and
// no range is set.
struct Shortage {
  std::string value;
  calibration::ObserverChoice observer;
  std::int64_t seen = 0;
  std::int64_t wanted = 0;
};
std::vector<Shortage> shortages(const ir::Graph& graph, const calibration::StatisticsTable& seen, const Recipe& recipe,
                                const RangeTable& set = {});

}  // namespace halftone::quant
