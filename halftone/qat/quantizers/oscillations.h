// Weights whose integer goes to and fro between two: Nagel et al., "Overcoming oscillations in quantization-aware training", ICML 2022.
#pragma once

#include <vector>

#include "halftone/qat/quantizers/trained.h"

namespace halftone::qat {

class Oscillations {
 public:
  // For weights in the shape of `like`.
  explicit Oscillations(const torch::Tensor& like);

  // `w` in steps, whose integers are `q` now: where an average of turns (over 100 steps) is above `most`, w becomes, and stays, the integer
  // that it was on average (algorithm 1).
  void see(torch::Tensor& w, const torch::Tensor& q, double most, bool is_binary);
  std::vector<NamedTensor> tensors() const;

 private:
  torch::Tensor last_, direction_, share_, mean_, frozen_, started_;
};

}  // namespace halftone::qat
