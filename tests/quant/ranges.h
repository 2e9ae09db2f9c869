// Ranges of a network's values on given samples.
#pragma once

#include "halftone/ir/interpreter.h"
#include "halftone/calibration/calibrate.h"
#include "halftone/quant/plan.h"
#include "halftone/quant/ranges.h"

namespace halftone::quant {

inline calibration::StatisticsTable statistics_of(const ir::Graph& graph, const Tensor& samples,
                                     const calibration::CalibrationOptions& options = {}) {
  const ir::Graph network = observed(graph);
  return calibration::calibrate(ir::Interpreter(network), calibration::output_names(network), samples, options);
}

inline RangeTable ranges_on(const ir::Graph& graph, const Tensor& samples, const Recipe& recipe = {}) {
  return choose_ranges(graph, statistics_of(graph, samples), recipe);
}

}  // namespace halftone::quant
