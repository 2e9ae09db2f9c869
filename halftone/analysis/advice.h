// Which layers do the most harm, and what to try next for each, by rules on what was measured.
#pragma once

#include <string>
#include <vector>

#include "halftone/analysis/layer_error.h"
#include "halftone/analysis/sensitivity.h"

namespace halftone::analysis {

enum class Remedy {
  nothing,  // the layer alone moves the output by less than kNegligible and loses no channel of it, or makes up for others
  channel_scales,
  clip_weights,
  round_by_results,  // AdaRound
  more_weight_bits,
  narrower_activations,
  wider_activations,
  more_activation_bits,
  correct_bias,
};

enum class Part { weights, activation, bias, requantization };
std::string_view name_of(Part part);

struct Advice {
  Remedy remedy = Remedy::nothing;
  std::string reason;       // the numbers it follows from
  bool first_last = false;  // settings of the first and last layer reach it
  int weight_bits = 0;      // to use: those there are, or more; 0: as they are
  int activation_bits = 0;  // likewise; 0: activations stay float
};

struct RankedLayer {
  std::size_t layer = 0;  // among MatchedModels::layers
  Part worst = Part::weights;
  std::vector<Advice> advice;  // the first thing to try first; at least one
};

inline constexpr double kNegligible = 0.01;        // of Harm::output_error
inline constexpr double kWideRange = 1.5;          // of Spread::ratio: much wider than three sigma
inline constexpr double kFewSaturate = 1e-3;       // of TensorError::saturation
inline constexpr double kCoversAll = 1.1;          // of TensorError::used: no observer has clipped it yet
inline constexpr double kMostlyClipped = 0.5;      // of TensorError::clipped_share
inline constexpr double kMeanErrorIsLarge = 0.25;  // of ResultError::mean_share
inline constexpr int kFewBits = 4;                 // at which clipping weights pays

// By Harm::output_error of the whole layer, the largest first. The worst part is the one with the largest
// output error; a bias that was corrected is left out, as it makes up for errors that are not there alone.
//   weights: one scale for several channels: channel_scales. Of a codebook: more_weight_bits. kFewBits or fewer, none clipped
//     where that would lower their error: clip_weights.
//     All rounded to nearest: round_by_results. Not, at more than kFewBits: nothing, since they were chosen
//     to make up for errors that are not there alone. Otherwise more_weight_bits, which is also the second
//     thing to try for the first and the last layer at kFewBits or fewer.
//   activation, requantization: more than kFewSaturate saturate, with kMostlyClipped of the tensor's own
//     error: wider_activations. No more than that saturate, of a range wider than kWideRange and not
//     clipped (below kCoversAll): narrower_activations. Otherwise more_activation_bits.
//   bias: correct_bias. The same, after the above, where the mean errors of channels hold kMeanErrorIsLarge
//     of the layer's error in the quantized network and its bias was not corrected.
std::vector<RankedLayer> rank_layers(const MatchedModels& models, const LayerErrors& errors,
                                     const Sensitivity& harm);

}  // namespace halftone::analysis
