// How far quantized networks' scores lie from the float network's.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "halftone/calibration/batches.h"
#include "halftone/analysis/sweep.h"

namespace halftone::analysis {

// The mean over samples of Σ p·ln(p/q), p = softmax(r), q = softmax(y), r and y the reference's and the network's scores of
// a sample: of each network that is made, on the same samples; `reference` are r's rows. Threads are shared among the
// networks, and results do not depend on them. Throws InputError for scores that are not finite or of another
// size.
std::vector<double> measure_divergence(std::span<const MakeNetwork> networks, const Tensor& reference,
                                       const calibration::Samples& samples, const calibration::BatchOptions& options, std::size_t output = 0);

}  // namespace halftone::analysis
