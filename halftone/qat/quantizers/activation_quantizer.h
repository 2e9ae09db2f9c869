// Activations in training: values that share a scale pass through its steps. A quantizer decides how the step, and the zero point, move.
#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include "halftone/numeric/affine.h"
#include "halftone/numeric/format.h"
#include "halftone/qat/quantizers/step_loops.h"
#include "halftone/qat/quantizers/trained.h"
#include "halftone/qat/ranks.h"

namespace halftone::qat {

// All that post-training quantization chose.
struct ActivationStart {
  numeric::IntegerFormat format;
  numeric::Affine affine;
  const Ranks* ranks = nullptr;  // what a batch shows is that of all ranks; it outlives the quantizer
};

class ActivationQuantizer {
 public:
  virtual ~ActivationQuantizer() = default;
  // Before every run; `training`: one that learns.
  virtual void begin(bool training) = 0;
  // The value that readers of x see.
  virtual torch::Tensor forward(const torch::Tensor& x) = 0;
  // [1], of this run.
  virtual torch::Tensor step() const = 0;
  // As the integers will have it: a whole zero point within the format.
  virtual numeric::Affine affine() const = 0;
  virtual std::vector<NamedTensor> tensors() const { return {}; }
  // Added to the loss; undefined: nothing.
  virtual torch::Tensor penalty() const { return {}; }
};

// The step stays: straight-through rounding (Bengio et al., "Estimating or propagating gradients through stochastic neurons", 2013),
// no gradient beyond the range, or the whole of it.
std::unique_ptr<ActivationQuantizer> straight_through(const ActivationStart& start);
std::unique_ptr<ActivationQuantizer> straight_through_everywhere(const ActivationStart& start);

// s learnt, its gradient scaled by 1/√(N·hi): Esser et al., "Learned step size quantization", ICLR 2020.
std::unique_ptr<ActivationQuantizer> learnt_steps(const ActivationStart& start);

// s a power of two, learnt: Jain et al., MLSys 2020.
std::unique_ptr<ActivationQuantizer> learnt_powers_of_two(const ActivationStart& start);

// s and the zero point learnt: Bhalgat et al., "LSQ+", CVPRW 2020. The offset is −s·z with z whole, so that it deploys.
std::unique_ptr<ActivationQuantizer> learnt_offsets(const ActivationStart& start);

// α = s·hi learnt, y = 0.5(|x| − |x − α| + α) rounded to α/hi, ∂y/∂α = 1 where x is beyond α, else 0, and λ·α²/2 added to the loss:
// Choi et al., "PACT", 2018, section 3. Where the range has negative values, −α clips alike.
std::unique_ptr<ActivationQuantizer> learnt_clipping(const ActivationStart& start);

// Moving averages of a batch's least and largest value, as Jacob et al., CVPR 2018, section 3.1; the zero point stays.
std::unique_ptr<ActivationQuantizer> moving_extremes(const ActivationStart& start);

// A laboratory's exercise: α = max|x| of the first batch, never again; s = 2α/2^bits. Values that are never negative are given the offset
// α, which leaves half of the codes unused: y = clip(half_even((x − α)/s), −2^(bits−1), 2^(bits−1) − 1)·s + α; others the offset 0.
std::unique_ptr<ActivationQuantizer> first_batch(const ActivationStart& start);

}  // namespace halftone::qat
