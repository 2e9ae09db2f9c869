// Moving what every value of a channel has in common into the next layer's bias.
#pragma once

#include "halftone/calibration/calibrate.h"

namespace halftone::ptq {

// For every two layers with a ReLU or the like between them (passes::channel_pairs that move shifts),
//   b1 ← b1 − c, b2 ← b2 + W2·c, c = max(0, μ − 3σ),
// μ and σ the mean and the deviation of what the first gives on the samples, by channel: values of another
// channel's size then no longer share its range. The function stays wherever a channel gives c or more, of a
// normal distribution all but 0.135 %. No pair whose second layer pads with zeros. A ReLU6 through which
// something is moved becomes Relu and Min by channel. Throws InputError for values that are not finite.
// (Nagel et al., Data-Free Quantization, ICCV 2019, section 4.1.3, where μ and σ are β and γ of a batch
// normalization.)
ir::Graph absorb_biases(ir::Graph graph, const calibration::Runs& runs);

}  // namespace halftone::ptq
