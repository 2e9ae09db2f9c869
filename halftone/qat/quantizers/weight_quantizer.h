// Weights in training: what is trained, and the integers and steps that a layer sees of it.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "halftone/qat/quantizers/quantizer.h"
#include "halftone/qat/quantizers/step_loops.h"
#include "halftone/qat/quantizers/trained.h"

namespace halftone::qat {

// All that post-training quantization chose: float weights w, their integers q, and steps s by tensor or by index of `axis`.
struct WeightStart {
  torch::Tensor w;
  torch::Tensor q;
  std::vector<float> scales;
  std::int64_t axis = -1;  // -1: one scale
  StepBounds bounds;
  bool is_binary = false;  // −1 and 1 alone
};

struct WeightRun {
  WeightNoise noise = WeightNoise::none;
  std::uint64_t seed = 0;  // of the noise
};

class WeightQuantizer {
 public:
  virtual ~WeightQuantizer() = default;
  // As floats, with a gradient to what is trained; whole unless there is noise.
  virtual torch::Tensor integers(const WeightRun& run = {}) const = 0;
  // The numbers that a layer multiplies by: integers times steps. A run sees it with the steps that steps() gave.
  virtual torch::Tensor weights(const torch::Tensor& steps, const WeightRun& run = {}) const = 0;
  // [1] or [channels]; a gradient where steps are learnt.
  virtual torch::Tensor steps() const = 0;
  // In steps, before rounding, [shape of the weights].
  virtual torch::Tensor in_steps() const = 0;
  virtual std::vector<NamedTensor> tensors() const = 0;
  // After a step of the optimizer: weights whose integer went to and fro in more than `share` of the last steps (an exponential
  // average over 100) stay at the integer that they were at most: Nagel et al., "Overcoming oscillations in quantization-aware
  // training", ICML 2022, algorithm 1.
  virtual void freeze_oscillating(double share) = 0;
};

// Weights are trained in steps, from within 0.45 of the chosen integers; moving a step rounds none anew. Steps stay, are learnt (Esser et
// al., ICLR 2020), or are powers of two and learnt (Jain et al., MLSys 2020).
std::unique_ptr<WeightQuantizer> weights_at_fixed_steps(const WeightStart& start);
std::unique_ptr<WeightQuantizer> weights_at_learnt_steps(const WeightStart& start);
std::unique_ptr<WeightQuantizer> weights_at_learnt_powers_of_two(const WeightStart& start);

// s = max|w| / hi of what the weights are now: Jacob et al., CVPR 2018, section 3.1.
std::unique_ptr<WeightQuantizer> weights_by_largest(const WeightStart& start);

// s = max|w| / 2^(bits−1) of the first run, never again; the largest weight is clipped to hi. A laboratory's exercise.
std::unique_ptr<WeightQuantizer> weights_by_first_run(const WeightStart& start);

// s = α/hi, α = c1·√E[w²] − c2·E|w|: Choi et al., "Accurate and efficient 2-bit quantized neural networks", MLSys 2019, section 3.
std::unique_ptr<WeightQuantizer> weights_by_statistics(const WeightStart& start);

// tanh(w)/max|tanh(w)| at the steps that were chosen: Zhou et al., "DoReFa-Net", 2016, equation 9, on the integers that there are.
std::unique_ptr<WeightQuantizer> weights_through_tanh(const WeightStart& start);

}  // namespace halftone::qat
