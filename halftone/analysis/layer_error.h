// How far the values of a quantized network lie from the float network's, with every error before them in it.
#pragma once

#include "halftone/calibration/batches.h"
#include "halftone/analysis/tensor_error.h"
#include "halftone/ptq/walk.h"

namespace halftone::analysis {

// The result of one layer, before a ReLU, a Clip or a Quantize behind it.
struct ResultError {
  SignalSums signal;             // y the float network's numbers, ŷ the quantized network's
  std::vector<double> channels;  // Σ (y − ŷ) of each output channel

  // The part of Σ (y − ŷ)² that lies in the channels' mean errors: Σ_c n·mean_c² / Σ (y − ŷ)², n numbers a
  // channel. 0 without any error.
  double mean_share() const;
};

struct LayerErrors {
  std::vector<TensorError> activations;  // as MatchedModels has them
  std::vector<TensorError> weights;      // by layer
  std::vector<ResultError> results;      // by layer
};

// Runs both networks over the samples; the quantized one as its float meaning, the simulation. Memory does
// not grow with the number of samples, and the result is the same for any number of threads. Throws
// InputError naming the value, its layer and the sample for a number of the float network that is not finite.
LayerErrors observe_errors(const MatchedModels& models, const calibration::Samples& samples, const calibration::BatchOptions& options,
                           const calibration::MakeExecutor& make_executor);

}  // namespace halftone::analysis
