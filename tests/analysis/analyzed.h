// Float networks and what becomes of them in integers, to be analyzed with the plain interpreter.
#pragma once

#include <map>

#include "halftone/analysis/advice.h"
#include "halftone/analysis/layer_error.h"
#include "halftone/analysis/sensitivity.h"
#include "tests/analysis/network.h"

namespace halftone::analysis {

inline std::unique_ptr<ir::Executor> plainly(const ir::Graph& graph) {
  return std::make_unique<ir::Interpreter>(graph);
}

struct Analyzed {
  ir::Graph real;
  ir::Graph quantized;
  MatchedModels models;
  calibration::Samples samples;

  LayerErrors errors(const calibration::BatchOptions& options = {}) const {
    return observe_errors(models, samples, options, plainly);
  }
  Sensitivity harm(const calibration::BatchOptions& options = {}) const {
    return measure_harm(models, samples, options, plainly);
  }
};

// float_network() with its ranges from the samples it is analyzed on.
inline Analyzed analyzed(const quant::Recipe& recipe = {}, std::int64_t count = 40) {
  Analyzed result{.real = float_network()};
  const data::Dataset dataset = samples(count, {1, 6, 6});
  result.quantized =
      quant::quantize(result.real, quant::ranges_on(result.real, dataset.images, recipe), recipe).graph;
  result.models = match(result.real, result.quantized);
  result.samples = calibration::samples_of(dataset, {});
  return result;
}

// x [N, 2] to y = x·w + b of one Gemm [N, 2], with these ranges of x and y.
inline Analyzed one_gemm(const std::vector<float>& w, const std::vector<float>& b,
                         const std::vector<float>& x, numeric::Range x_range, numeric::Range y_range,
                         const quant::Recipe& recipe = {}) {
  Analyzed result;
  ir::Graph& g = result.real;
  const ir::ValueId in = g.add_input("x", DType::float32, {kDynamic, 2});
  g.outputs = {g.add_node(
      ir::Gemm{}, {in, g.add_constant("w", ir::floats({2, 2}, w)), g.add_constant("b", ir::floats({2}, b))},
      "y")};
  result.quantized = quant::quantize(g, {{"x", x_range}, {"y", y_range}}, recipe).graph;
  result.models = match(g, result.quantized);
  const auto rows = static_cast<std::int64_t>(x.size() / 2);
  result.samples.inputs = {{.name = "x", .rows = ir::floats({rows, 2}, x)}};
  return result;
}

}  // namespace halftone::analysis
