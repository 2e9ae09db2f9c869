// The times that choices of bits add to a network, measured.
#pragma once

#include <functional>

#include "halftone/analysis/mixed_precision.h"
#include "halftone/calibration/statistics.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::analysis {

struct TimedChoices {
  const ir::Graph& graph;  // float, as search_bits takes it
  const quant::Recipe& recipe;
  const std::vector<MixedGroup>& groups;
  const calibration::StatisticsTable& seen;
  // Plans a network; what it returns runs it, again and again.
  std::function<std::function<void()>(qgraph::QuantizedGraph)> plan;
  std::function<int(int bits)> kind;  // bits of one kind take the same time
  double seconds = 0.3;               // for each network that is compared with the start
  std::function<void(double)> progress = {};
};

// Whether some layer or group has choices of several kinds, and whether some has several of one kind.
struct ChoiceKinds {
  bool several = false;
  bool alike = false;
};
ChoiceKinds kinds_of(const std::vector<MixedGroup>& groups, const std::function<int(int)>& kind);

// Milliseconds of the network as all start, and what each choice adds to them: the network with that choice alone takes turns with
// the one that all start from, twice, and the least times are compared, which other work on the machine disturbs least. A choice
// that changes less than the start differs from itself adds nothing, nor does one of the kind that a layer starts from. Layers whose
// inputs share a scale have an even part each of what their inputs add.
struct ChoiceTimes {
  double start = 0.0;
  CostOf added;
};
ChoiceTimes measure_choice_times(const TimedChoices& timed);

// Milliseconds of one run, the least of those taken.
double milliseconds_of(const std::function<void()>& run, double seconds);

}  // namespace halftone::analysis
