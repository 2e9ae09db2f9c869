#include "halftone/ptq/ptq.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/ptq/correct_biases.h"
#include "halftone/ptq/reconstruct.h"
#include "halftone/quant/plan.h"
#include "halftone/quant/quantize_dynamic.h"

namespace halftone::ptq {
namespace {

// The first reason why a network has nothing to quantize.
std::string why_nothing(const ir::Graph& network, const quant::Plan& plan) {
  const auto nodes = quant::float_nodes(network, plan);
  return nodes.empty() ? "it has no nodes" : fmt::format("{}: {}", nodes.front().node, nodes.front().reason.text);
}

void correct_by_statistics(const ir::Graph& model, const ir::Graph& network, quant::Parameters& parameters,
                           const quant::Recipe& recipe, const RunsFor& runs) {
  NormalTable known = known_distributions(model, recipe);
  if (runs) measure_sources(network, parameters, runs(Stage::measure_channels, network), known);
  correct_biases(network, parameters, known);
}

calibration::StatisticsTable calibrated(const ir::Graph& network, const RunsFor& runs) {
  const ir::Graph observed = quant::observed(network);
  const calibration::Runs own = runs(Stage::calibrate, network);
  return calibration::calibrate(*own.make_executor(observed), calibration::output_names(observed), own.samples, own.options);
}

}  // namespace

Integers integers_of(const ir::Graph& network, const quant::Parameters& parameters, const quant::Recipe& recipe,
                     const std::string& model) {
  Integers result{.quantized = recipe.dynamic ? quant::quantize_dynamic(network, parameters, recipe.arithmetic)
                                              : quant::quantize(network, parameters, recipe.arithmetic),
                  .integers = {},
                  .islands = {}};
  if (!lower::is_quantized(result.quantized.graph))
    throw UnsupportedError(model, "nothing to quantize: " + why_nothing(network, parameters.plan));
  result.integers = lower::lower(result.quantized.graph);
  result.islands = quant::islands_of(network, result.integers, parameters.plan);
  return result;
}

quant::Parameters choose_parameters(const ir::Graph& model, const ir::Graph& network, const quant::RangeTable& ranges,
                                    const quant::Recipe& recipe, const RunsFor& runs) {
  quant::Parameters parameters = quant::choose_parameters(network, ranges, recipe);
  if (reconstructs(recipe)) reconstruct(network, parameters, recipe, runs(Stage::choose_weights, network));
  if (recipe.correct_bias == quant::BiasCorrection::analytic) correct_by_statistics(model, network, parameters, recipe, runs);
  return parameters;
}

bool needs_samples(const quant::Recipe& recipe, bool has_ranges) {
  return (!recipe.weight_only && !has_ranges) || reconstructs(recipe) || needs_samples_before_calibration(recipe);
}

Result quantize(const Task& task) {
  if (!task.runs && needs_samples(task.recipe, task.ranges != nullptr))
    throw UsageError(task.name, "no samples, expected some: the recipe calibrates, or chooses weights by what layers compute");
  const quant::Recipe& recipe = task.recipe;
  Result result;
  result.network = move_by_samples(task.network ? *task.network : float_network(task.model, recipe), recipe, task.runs);
  quant::RangeTable ranges;
  if (!recipe.weight_only) {
    result.seen = task.ranges != nullptr ? task.ranges->seen : calibrated(result.network, task.runs);
    ranges = quant::choose_ranges(result.network, result.seen, recipe, task.ranges != nullptr ? task.ranges->set : quant::RangeTable{});
  }
  result.parameters = choose_parameters(task.model, result.network, ranges, recipe, task.runs);
  result.made = integers_of(result.network, result.parameters, recipe, task.name);
  std::ranges::copy(notes_of_methods(result.network, recipe), std::back_inserter(result.made.quantized.notes));
  return result;
}

}  // namespace halftone::ptq
