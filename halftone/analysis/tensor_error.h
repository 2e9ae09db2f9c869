// The error that becoming integers makes in one tensor: an activation over samples, or the weights of a layer.
#pragma once

#include <string>

#include "halftone/analysis/channel_error.h"
#include "halftone/analysis/matched_models.h"
#include "halftone/analysis/signal_error.h"
#include "halftone/calibration/histogram.h"

namespace halftone::analysis {

struct TensorError {
  std::string name;
  SignalSums signal;  // x the float network's numbers, x̂ those the quantized network has there
  std::int64_t saturated =
      0;                  // integers at qmin or qmax because the real value lay beyond: round(r/s) + z did
  double own = 0.0;       // Σ (r − r̂)²: r the number that is quantized there, r̂ what it becomes
  double clipped = 0.0;   // the saturated ones' part of it
  calibration::Histogram seen;  // of x
  numeric::QuantParams params;
  ChannelErrors channels;         // of x and x̂, activations alone
  numeric::Range clip;  // [s·(qmin − z), s·(qmax − z)], of all scales together
  double used = 0.0;    // (largest x − smallest x)/(s·(qmax − qmin)), the mean over the scales

  // Parts of one; 0 of nothing.
  double saturation() const;
  double clipped_share() const;
};

// Without numbers yet.
TensorError unseen(std::string name, const numeric::QuantParams& params);

// Adds what quantizing x, rounded to nearest, gives to `saturated`, `own` and `clipped`. One scale.
void add_quantized(TensorError& error, std::span<const float> x);

// Sums and counts of both; the names and parameters are the same.
void add_sums(TensorError& error, const TensorError& other);

// To be called once all is seen: the share of the range that is used.
void finish(TensorError& error);

// w the float weights, ŵ those of the integers.
TensorError weight_error(const std::string& name, const Tensor& weights, const MatchedLayer& layer);

// Whether every integer is the nearest to its weight, or the nearest end of the range.
bool rounded_to_nearest(const Tensor& weights, const MatchedLayer& layer);

}  // namespace halftone::analysis
