// Activations whose range is what batches show, without a gradient to it.
#pragma once

#include <limits>

#include "halftone/qat/quantizers/steps_alone.h"

namespace halftone::qat {

// The values of one run count together, and from the next run on.
class ShownRange : public ActivationQuantizer {
 public:
  ShownRange(const ActivationStart& start, float lo, float hi);

  void begin(bool training) override;
  torch::Tensor forward(const torch::Tensor& x) override;
  torch::Tensor step() const override { return torch::full({1}, affine().scale); }
  std::vector<NamedTensor> tensors() const override { return {{"range", range_}, {"batch", batch_}, {"runs", runs_}}; }

 protected:
  // Takes over what the last run showed.
  virtual void take(float lo, float hi) = 0;
  virtual void look(const torch::Tensor& x);

  static constexpr float kNothing = -std::numeric_limits<float>::infinity();
  static constexpr float kLeastStep = 1e-30F;
  ActivationStart start_;
  torch::Tensor range_;  // least and largest
  torch::Tensor batch_;  // −least and largest so far
  torch::Tensor runs_;   // that were taken
  bool training_ = false;
};

}  // namespace halftone::qat
