// Activations whose zero point stays, while the step is learnt or stays too.
#pragma once

#include "halftone/qat/quantizers/activation_quantizer.h"
#include "halftone/qat/quantizers/round_to_steps.h"
#include "halftone/qat/quantizers/steps.h"

namespace halftone::qat {

// The format's integers less the zero point.
StepBounds bounds_of(const numeric::IntegerFormat& format, std::int32_t zero_point);

// 1/√(N·hi), N elements a row: Esser et al., ICLR 2020, section 2.2.
double gradient_scale(const torch::Tensor& x, const StepBounds& bounds);

class StepsAlone : public ActivationQuantizer {
 public:
  StepsAlone(const ActivationStart& start, StepKind kind, StepGradient gradient = StepGradient::rounding, bool passes = false);

  void begin(bool training) override;
  torch::Tensor forward(const torch::Tensor& x) override;
  torch::Tensor step() const override { return now_; }
  numeric::Affine affine() const override;
  std::vector<NamedTensor> tensors() const override;

 protected:
  Steps steps_;
  std::int32_t zero_point_;
  StepShape shape_;
  torch::Tensor now_;
};

}  // namespace halftone::qat
