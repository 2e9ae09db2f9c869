// The stages of the road that run a network over samples.
#pragma once

#include <functional>

#include "halftone/calibration/calibrate.h"

namespace halftone::ptq {

enum class Stage { absorb_biases, smooth, calibrate, choose_weights, measure_channels };

// Samples and how `network` is run over them in a stage: called at the stage's beginning, and what it gives is dropped at its
// end. Progress is that stage's own.
using RunsFor = std::function<calibration::Runs(Stage stage, const ir::Graph& network)>;

}  // namespace halftone::ptq
