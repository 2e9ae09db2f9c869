#include "halftone/qat/quantizers/trained_weights.h"

namespace halftone::qat {
namespace {

class ByFirstRun : public TrainedWeights {
 public:
  explicit ByFirstRun(const WeightStart& start) : TrainedWeights(start) {
    // The float weights themselves: the first run is one of them.
    const torch::Tensor s = along_axis(steps());
    const torch::NoGradGuard guard;
    v_.copy_((start.w / s).clamp(start.bounds.lo, start.bounds.hi) / start.bounds.hi);
  }
  torch::Tensor steps() const override {
    return by_channel(start_.w, start_.axis).abs().amax(1).clamp_min(kLeastStep) / (start_.bounds.hi + 1.0F);
  }
  torch::Tensor in_steps() const override { return v_ * start_.bounds.hi; }
};

}  // namespace

std::unique_ptr<WeightQuantizer> weights_by_first_run(const WeightStart& start) { return std::make_unique<ByFirstRun>(start); }

}  // namespace halftone::qat
