#include "cli/float_graph.h"

#include <fmt/format.h>

#include "cli/calibration.h"
#include "halftone/analysis/matched_models.h"
#include "halftone/float_engine/executor.h"
#include "halftone/passes/pass.h"
#include "halftone/quant/absorb_biases.h"
#include "halftone/quant/smooth.h"

namespace halftone::cli {
namespace {

void say_changed(ir::Graph& graph, const std::string& method) {
  std::string& all = graph.metadata[analysis::kChangedKey];
  all += (all.empty() ? "" : ", ") + method;
}

}  // namespace

ir::Graph float_graph(const ir::Graph& model, const quant::Recipe& recipe) {
  ir::Graph graph = passes::simplify(model);
  if (recipe.svd != 0.0) {
    graph = passes::split_gemm(std::move(graph), recipe.svd);
    say_changed(graph, fmt::format("svd {}", recipe.svd));
  }
  if (recipe.equalize) {
    graph = passes::equalize_cross_layer(std::move(graph));
    say_changed(graph, "equalize");
  }
  return graph;
}

bool needs_samples_before_calibration(const quant::Recipe& recipe) {
  return recipe.absorb_biases || recipe.smooth > 0.0;
}

ir::Graph move_by_samples(ir::Graph graph, const quant::Recipe& recipe, const analysis::Samples& samples,
                          const DataOptions& data) {
  if (recipe.absorb_biases) {
    with_samples(samples, data, "absorbing biases", [&](const auto& source, const auto& options) {
      graph = quant::absorb_biases(std::move(graph), source, options, float_engine::make_executor);
    });
    say_changed(graph, "absorb-biases");
  }
  if (recipe.smooth > 0.0) {
    with_samples(samples, data, "smoothing", [&](const auto& source, const auto& options) {
      graph = quant::smooth(std::move(graph), recipe.smooth, source, options, float_engine::make_executor);
    });
    say_changed(graph, fmt::format("smooth {}", recipe.smooth));
  }
  return graph;
}

quant::NormalTable known_distributions(const ir::Graph& model, const quant::Recipe& recipe) {
  const bool moved = recipe.equalize || needs_samples_before_calibration(recipe);
  return recipe.correct_bias == quant::BiasCorrection::analytic && !moved ? quant::batch_norm_outputs(model)
                                                                         : quant::NormalTable{};
}

void correct_biases(const ir::Graph& graph, quant::Parameters& parameters, quant::NormalTable known,
                    const analysis::Samples& samples, const DataOptions& data) {
  if (data.given())
    with_samples(samples, data, "measuring channels", [&](const auto& source, const auto& options) {
      quant::measure_sources(graph, parameters, source, options, float_engine::make_executor, known);
    });
  quant::correct_biases(graph, parameters, known);
}

}  // namespace halftone::cli
