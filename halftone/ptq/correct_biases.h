// Correcting biases by what quantization does to weights and the inputs' means, without running the network.
#pragma once

#include "halftone/calibration/calibrate.h"
#include "halftone/ptq/channel_means.h"
#include "halftone/quant/parameters.h"

namespace halftone::ptq {

// The distributions that correct_biases lacks in `known`, measured on samples: mean and deviation of each
// value from which the means of a layer's input follow.
void measure_sources(const ir::Graph& graph, const quant::Parameters& parameters, const calibration::Runs& runs,
                     NormalTable& known);

// b ← b − ε·E[x], ε = Ŵ − W what rounding did to the weights, summed over a Conv's window, and E[x] the mean
// of each input channel: of a normal distribution through the ReLU or Clip before the layer. Zeros of padding
// count as other values do. Layers without a bias, or whose inputs' distribution is not known, stay as they
// are, and so does a bias that its scale cannot hold. Returns how many layers were corrected. (Nagel et al.,
// Data-Free Quantization, ICCV 2019, section 4.2.1.)
int correct_biases(const ir::Graph& graph, quant::Parameters& parameters, const NormalTable& known);

}  // namespace halftone::ptq
