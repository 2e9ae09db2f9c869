#include "halftone/qat/quantizers/round_to_steps.h"
#include "halftone/qat/quantizers/steps.h"
#include "halftone/qat/quantizers/trained_weights.h"

namespace halftone::qat {
namespace {

class AtSteps : public TrainedWeights {
 public:
  AtSteps(const WeightStart& start, StepKind kind) : TrainedWeights(start), steps_(start.scales, kind) {}
  torch::Tensor steps() const override { return steps_.now(); }
  torch::Tensor in_steps() const override { return v_ * start_.bounds.hi; }
  torch::Tensor weights(const torch::Tensor& steps, const WeightRun& run) const override {
    if (run.noise != WeightNoise::none || start_.is_binary) return TrainedWeights::weights(steps, run);
    return round_weights(v_, steps, start_.axis, start_.bounds);
  }
  std::vector<NamedTensor> tensors() const override {
    std::vector<NamedTensor> all = TrainedWeights::tensors();
    if (steps_.is_learnt()) all.push_back({"step", steps_.logarithm(), Role::step});
    return all;
  }

 private:
  Steps steps_;
};

}  // namespace

std::unique_ptr<WeightQuantizer> weights_at_fixed_steps(const WeightStart& start) { return std::make_unique<AtSteps>(start, StepKind::fixed); }
std::unique_ptr<WeightQuantizer> weights_at_learnt_steps(const WeightStart& start) { return std::make_unique<AtSteps>(start, StepKind::learnt); }
std::unique_ptr<WeightQuantizer> weights_at_learnt_powers_of_two(const WeightStart& start) { return std::make_unique<AtSteps>(start, StepKind::power_of_two); }

}  // namespace halftone::qat
