#include <iostream>

#include "cli/integers.h"
#include "cli/search_task.h"
#include "halftone/analysis/choice_times.h"

namespace halftone::cli {
namespace {

constexpr double kSeconds = 0.3;  // for each network

// Bits that the engine holds in a byte take the same time.
int kind_of(int bits) { return stored_bytes(bits) == 1 ? 1 : bits; }

std::function<void()> planned(const SearchTask& task, const qgraph::QuantizedGraph& graph) {
  const calibration::Batch batch = calibration::batch_of(task.calibration, 0, 1, batches_of(task.calibration, 1));
  return timed_run(graph, batch.inputs, batch.rows);
}

}  // namespace

void measure_times(SearchTask& task) {
  report::Progress progress(std::cerr, report::stderr_options());
  analysis::ChoiceTimes times = analysis::measure_choice_times(
      {.graph = task.graph,
       .recipe = task.recipe,
       .groups = task.groups,
       .seen = task.seen,
       .plan = [&](const qgraph::QuantizedGraph& graph) { return planned(task, graph); },
       .kind = kind_of,
       .seconds = kSeconds,
       .progress = [&](double done) { progress.update(done, "taking times"); }});
  task.cost = std::move(times.added);
  task.fixed_cost = times.start;
}

void measure_chosen(SearchTask& task, const qgraph::QuantizedGraph& model) {
  task.measured = analysis::milliseconds_of(planned(task, model), kSeconds);
}

Warnings time_warnings(const SearchTask& task) {
  const analysis::ChoiceKinds kinds = analysis::kinds_of(task.groups, kind_of);
  if (!kinds.several)
    return {"[--budget] no choice of bits here changes the time: the engine takes the same for all bits up to 8, and harm alone decides"};
  if (kinds.alike) return {"[--budget] the engine takes the same time for all bits up to 8: among them harm alone decides"};
  return {};
}

}  // namespace halftone::cli
