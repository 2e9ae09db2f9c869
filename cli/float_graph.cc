#include "cli/float_graph.h"

#include "cli/calibration.h"
#include "halftone/float_engine/executor.h"
#include "halftone/passes/pass.h"
#include "halftone/quant/smooth.h"

namespace halftone::cli {

ir::Graph float_graph(const ir::Graph& model, const quant::Recipe& recipe) {
  ir::Graph graph = passes::simplify(model);
  if (recipe.equalize) graph = passes::equalize_cross_layer(std::move(graph));
  return graph;
}

bool needs_samples_before_calibration(const quant::Recipe& recipe) { return recipe.smooth > 0.0; }

ir::Graph move_by_samples(ir::Graph graph, const quant::Recipe& recipe, const analysis::Samples& samples,
                          const DataOptions& data) {
  if (recipe.smooth > 0.0)
    with_samples(samples, data, "smoothing", [&](const auto& source, const auto& options) {
      graph = quant::smooth(std::move(graph), recipe.smooth, source, options, float_engine::make_executor);
    });
  return graph;
}

}  // namespace halftone::cli
