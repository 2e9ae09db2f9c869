#include "cli/layer_times.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "cli/dot_product_rate.h"
#include "halftone/analysis/timing.h"

namespace halftone::cli {
namespace {

using Clock = std::chrono::steady_clock;

double between(Clock::time_point first, Clock::time_point last) { return std::chrono::duration<double>(last - first).count(); }

// Units of samples that follow the first take the same steps again.
std::vector<std::string> names_of_steps(EngineRun& run) {
  std::vector<std::string> names;
  run.run_by_step([&](std::string_view name) {
    if (names.size() < run.steps()) names.emplace_back(name);
  });
  return names;
}

// The seconds of each step in one run.
std::vector<double> time_steps(EngineRun& run, std::size_t count) {
  std::vector<double> seconds(count);
  std::size_t step = 0;
  Clock::time_point last = Clock::now();
  run.run_by_step([&](std::string_view) {
    const Clock::time_point now = Clock::now();
    seconds[step++ % count] += between(last, now);
    last = now;
  });
  return seconds;
}

}  // namespace

std::vector<LayerTime> layer_times(const ModelFile& model, const EngineSettings& settings, double seconds,
                                   const std::function<void(double)>& progress) {
  constexpr int kLeastRuns = 3;
  EngineRun run(model, settings);
  const std::vector<std::string> names = names_of_steps(run);
  std::vector<std::vector<double>> series(names.size());
  std::vector<double> ceilings;
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < kLeastRuns || between(start, Clock::now()) < seconds; ++i) {
    const std::vector<double> taken = time_steps(run, names.size());
    for (std::size_t s = 0; s < names.size(); ++s) series[s].push_back(taken[s]);
    ceilings.push_back(dot_product_rate(settings.threads));
    progress(between(start, Clock::now()) / seconds);
  }
  std::map<std::string_view, std::int64_t> macs;
  const std::vector<std::int64_t> by_node = qgraph::multiply_adds(*model.integers, settings.batch);
  for (std::size_t n = 0; n < by_node.size(); ++n) macs[model.integers->nodes[n].name] += by_node[n];
  const double ceiling = analysis::median_of(ceilings);
  std::vector<LayerTime> layers;
  double sum = 0.0;
  for (std::size_t s = 0; s < names.size(); ++s) {
    LayerTime& layer = layers.emplace_back(LayerTime{.name = names[s], .seconds = analysis::median_of(series[s])});
    const auto found = macs.find(layer.name);
    if (found != macs.end() && layer.seconds > 0) layer.rate = static_cast<double>(found->second) / layer.seconds;
    if (ceiling > 0) layer.share = layer.rate / ceiling;
    sum += layer.seconds;
  }
  for (LayerTime& layer : layers) layer.part = sum > 0 ? layer.seconds / sum : 0.0;
  return layers;
}

}  // namespace halftone::cli
