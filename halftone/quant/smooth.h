// Moving the outliers of activations into weights.
#pragma once

#include "halftone/quant/calibrate.h"

namespace halftone::quant {

// For every layer X·W whose input channels other layers give (passes::channel_classes), channel j by channel,
//   X·W = (X·diag(s)⁻¹)·(diag(s)·W), s_j = max|X_j|^alpha / max|W_j|^(1−alpha),
// max|X_j| over the samples, W_j the weights that take channel j, 0 < alpha <= 1, both the largest where several layers
// take it; the layers before take diag(s)⁻¹ into their weights, so that the function stays. Where one layer takes each
// channel, then max|X_j|^alpha = max|W_j|^(1−alpha). Those
// without a value on the samples, or of no weight, are moved as the others are on average. A ReLU6 between two
// layers becomes Relu and Min by channel. Throws UsageError for another alpha, InputError for values that are not
// finite. (Xiao et al., SmoothQuant, ICML 2023, equations 3 and 4.)
ir::Graph smooth(ir::Graph graph, double alpha, const SampleSource& samples, const CalibrationOptions& options,
                 const MakeExecutor& make_executor);

}  // namespace halftone::quant
