// Where the engine's time goes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/engine_run.h"

namespace halftone::cli {

// A step of the program: one a node, and others that bring values to another layout.
struct LayerTime {
  std::string name;
  double seconds = 0.0;  // of all samples; the median of the runs
  double part = 0.0;     // of the sum of all steps
  double rate = 0.0;     // multiply-adds a second
  double share = 0.0;    // of the ceiling, measured behind every run; 0 without one
};

// For so many seconds; threads share each step. In the order in which steps run.
std::vector<LayerTime> layer_times(const ModelFile& model, const EngineSettings& settings, double seconds,
                                   const std::function<void(double)>& progress);

}  // namespace halftone::cli
