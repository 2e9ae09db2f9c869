// What it costs to have a first result from a file.
#pragma once

#include <optional>
#include <string>

#include "cli/engine_run.h"

namespace halftone::cli {

struct LoadCost {
  double seconds = 0.0;     // from the file to the first result
  double bytes = 0.0;       // growth of the process's resident memory by then
  double most_bytes = 0.0;  // and the most on the way
};

// Measured in a process of its own, whose memory is this one's at the start. To be called before this process has threads. Nothing
// where that process fails.
std::optional<LoadCost> load_cost(const std::string& path, const onnx_io::InputShapes& shapes, const EngineSettings& settings);

}  // namespace halftone::cli
