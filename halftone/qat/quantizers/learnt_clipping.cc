#include "halftone/qat/quantizers/steps_alone.h"

namespace halftone::qat {
namespace {

constexpr double kDecay = 2e-4;  // λ: the weight decay of the paper's networks

class LearntClipping : public StepsAlone {
 public:
  explicit LearntClipping(const ActivationStart& start) : StepsAlone(start, StepKind::learnt, StepGradient::clipping) {}
  torch::Tensor penalty() const override { return 0.5 * kDecay * (now_ * static_cast<double>(shape_.bounds.hi)).square().sum(); }
};

}  // namespace

std::unique_ptr<ActivationQuantizer> learnt_clipping(const ActivationStart& start) { return std::make_unique<LearntClipping>(start); }

}  // namespace halftone::qat
