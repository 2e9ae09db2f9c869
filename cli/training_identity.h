// All that a training that goes on has to have in common with the one that was begun.
#pragma once

#include "cli/training_options.h"
#include "halftone/calibration/samples.h"
#include "halftone/qat/hooks.h"

namespace halftone::cli {

// By option or input; digests stand for what is long. The network is for the caller to add. No recipe: in float alone.
qat::Identity identity_of(const TrainingOptions& options, const calibration::Samples& samples, const quant::Recipe* recipe, int ranks);

}  // namespace halftone::cli
