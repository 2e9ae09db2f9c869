// Batch normalization of a layer that is folded into its steps and bias while these are trained: Jacob et al., CVPR 2018, section 3.2;
// Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018, section 3.2.2.
//
// z = W x, [N, C, ...], is what the layer computes without its bias at the steps s0 [C] of the start; m and d [C] are its mean and deviation
// by channel where training begins. With the steps s and the bias b of now, c = d/σ, and μ and σ those of the batch or running ones,
//   y = (s/s0)·d·(z − μ)/σ + b + m,
// which is the layer at the steps c·s, its integers unchanged, with the bias b + m − (s/s0)·c·μ. So s learns as the scale of a batch
// normalization does, and b as its shift. Variances are those of all elements, plus 1e-5.
#pragma once

#include <torch/types.h>

#include <vector>

#include "halftone/qat/quantizers/trained.h"
#include "halftone/qat/ranks.h"

namespace halftone::qat {

class FoldedNormalization {
 public:
  // Until `begin` it changes nothing: c = 1, m = μ = 0. `ranks` outlives it: a batch is that of all ranks.
  FoldedNormalization(const torch::Tensor& first_steps, const Ranks& ranks);

  // The layer's output on samples of the start, with its bias `b` [C]; then m, d and the first running statistics are theirs.
  void measure(const torch::Tensor& y, const torch::Tensor& b);
  void begin();

  // c·s and b + m − (s/s0)·c·μ by running statistics, with gradients to s and b.
  torch::Tensor steps(const torch::Tensor& s) const { return s * factor(); }
  torch::Tensor bias(const torch::Tensor& s, const torch::Tensor& b) const { return b + mean_ - s / first_steps_ * factor() * running_mean_; }

  // y by the statistics of the batch, with gradients through them; running ones keep 99 % and take the rest from these. The bias is rounded to
  // s_x·c·s, straight through. A batch of one element a channel has no deviation: y is by running statistics. `counts`: rows of this rank are
  // part of the batch.
  torch::Tensor by_batch(const torch::Tensor& z, const torch::Tensor& s, const torch::Tensor& b, const torch::Tensor& s_x, bool counts);
  const torch::Tensor& first_steps() const { return first_steps_; }

  std::vector<NamedTensor> tensors() const;

 private:
  torch::Tensor factor() const;

  const Ranks& ranks_;
  torch::Tensor first_steps_;
  torch::Tensor sums_;  // of the samples so far: elements, z and z², [3, C]
  torch::Tensor mean_, variance_, running_mean_, running_variance_;
};

}  // namespace halftone::qat
