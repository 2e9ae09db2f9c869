// The best clipping of weights told from two of their moments: Choi et al., "Accurate and efficient 2-bit quantized neural networks",
// MLSys 2019, section 3 (SAWB).
#pragma once

namespace halftone::qat {

// α = c1·√E[w²] − c2·E|w|.
struct SawbFit {
  double c1 = 0.0;
  double c2 = 0.0;
  double worst = 0.0;  // the largest relative difference between the fit and the best α, over the distributions that were fitted
};

// Integers from −hi to hi, hi >= 1. Least squares over six distributions (uniform, triangular, normal, logistic, Laplace, and a mixture
// of a normal one with one three times as wide) of the α whose rounding has the least mean squared error.
SawbFit fit_sawb(int hi);

}  // namespace halftone::qat
