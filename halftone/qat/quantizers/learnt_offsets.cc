#include "halftone/qat/quantizers/steps_alone.h"

#include <algorithm>
#include <cmath>

namespace halftone::qat {
namespace {

class LearntOffsets : public ActivationQuantizer {
 public:
  explicit LearntOffsets(const ActivationStart& start)
      : steps_({start.affine.scale}, StepKind::learnt), format_(start.format), zero_(torch::full({1}, static_cast<float>(start.affine.zero_point))) {
    zero_.requires_grad_();
  }

  void begin(bool) override {
    now_ = steps_.now();
    zero_now_ = zero_.clamp(format_.qmin(), format_.qmax());
  }
  torch::Tensor forward(const torch::Tensor& x) override {
    const StepBounds bounds = bounds_of(format_, 0);
    return round_to_steps(x, now_, zero_now_, {.bounds = bounds, .gradient_scale = gradient_scale(x, bounds_of(format_, zero_point()))});
  }
  torch::Tensor step() const override { return now_; }
  numeric::Affine affine() const override { return {steps_.now().item<float>(), zero_point()}; }
  std::vector<NamedTensor> tensors() const override { return {{"step", steps_.logarithm(), Role::step}, {"zero", zero_, Role::step}}; }

 private:
  std::int32_t zero_point() const {
    const float within = std::clamp(zero_.item<float>(), static_cast<float>(format_.qmin()), static_cast<float>(format_.qmax()));
    return static_cast<std::int32_t>(std::nearbyint(within));
  }

  Steps steps_;
  numeric::IntegerFormat format_;
  torch::Tensor zero_;
  torch::Tensor now_;
  torch::Tensor zero_now_;
};

}  // namespace

std::unique_ptr<ActivationQuantizer> learnt_offsets(const ActivationStart& start) { return std::make_unique<LearntOffsets>(start); }

}  // namespace halftone::qat
