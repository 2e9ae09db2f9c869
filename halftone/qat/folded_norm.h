// Batch normalization that a network has folded into its layers, still at work while it is trained: Jacob et al., CVPR 2018, section 3.2.
#pragma once

#include <torch/types.h>

#include <vector>

#include "halftone/qat/normalized_values.h"
#include "halftone/qat/quantizers/trained.h"
#include "halftone/qat/ranks.h"

namespace halftone::qat {

// With z what the folded layer computes, m and d its mean and deviation by channel: y = β + (z − m)·|γ|/d. The statistics are a batch's, or
// running ones, which are β and |γ| at first: then y = z. Channels whose γ is 0 stay as they are.
class FoldedNorm {
 public:
  FoldedNorm(const Normalized& normalized, const Ranks& ranks);

  // y by the statistics of this batch, which running ones follow. z is [N, C, ...].
  torch::Tensor by_batch(const torch::Tensor& z);
  // [C], for running statistics: y = factor·z + shift.
  torch::Tensor factor() const;
  torch::Tensor shift() const;
  std::vector<NamedTensor> tensors() const { return {{"mean", running_mean_, Role::memory}, {"variance", running_variance_, Role::memory}}; }

 private:
  torch::Tensor mean_, deviation_, is_normal_;
  double momentum_;
  const Ranks& ranks_;
  torch::Tensor running_mean_, running_variance_;
};

}  // namespace halftone::qat
