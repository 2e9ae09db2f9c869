// Moving the outliers of activations into weights.
#pragma once

#include "halftone/calibration/calibrate.h"

namespace halftone::ptq {

// For every layer X·W whose input channels other layers give (passes::channel_classes), channel j by channel,
//   X·W = (X·diag(s)⁻¹)·(diag(s)·W), s_j = max|X_j|^alpha / max|W_j|^(1−alpha),
// max|X_j| over the samples, W_j the weights that take channel j, 0 < alpha <= 1, both the largest where several layers
// take it; the layers before take diag(s)⁻¹ into their weights, so that the function stays. Where one layer takes each
// channel, then max|X_j|^alpha = max|W_j|^(1−alpha). Those
// without a value on the samples, or of no weight, are moved as the others are on average. Left as they are: channels that
// several values carry, as along a residual stream, and those behind a ReLU6, which as a bound by channel would no longer
// end the layer before it but be a table of its own, on values without that bound. Throws UsageError for another alpha, InputError for values that are not
// finite. (Xiao et al., SmoothQuant, ICML 2023, equations 3 and 4.)
ir::Graph smooth(ir::Graph graph, double alpha, const calibration::Runs& runs);

}  // namespace halftone::ptq
