// Moving the outliers of activations into weights.
#pragma once

#include "halftone/quant/calibrate.h"

namespace halftone::quant {

// For every layer X·W whose input channels another layer gives (passes::channel_pairs), channel j by channel,
//   X·W = (X·diag(s)⁻¹)·(diag(s)·W), s_j = max|X_j|^alpha / max|W_j|^(1−alpha),
// max|X_j| over the samples, W_j the weights that take channel j, 0 < alpha <= 1; the layer before takes diag(s)⁻¹
// into its weights, so that the function stays. Then max|X_j|^alpha = max|W_j|^(1−alpha) for every channel. Those
// without a value on the samples, or of no weight, are moved as the others are on average. A ReLU6 between two
// layers becomes Relu and Min by channel. Throws UsageError for another alpha, InputError for values that are not
// finite. (Xiao et al., SmoothQuant, ICML 2023, equations 3 and 4.)
ir::Graph smooth(ir::Graph graph, double alpha, const SampleSource& samples, const CalibrationOptions& options,
                 const MakeExecutor& make_executor);

}  // namespace halftone::quant
