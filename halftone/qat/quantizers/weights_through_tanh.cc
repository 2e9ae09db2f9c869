#include "halftone/qat/quantizers/trained_weights.h"

namespace halftone::qat {
namespace {

class ThroughTanh : public TrainedWeights {
 public:
  using TrainedWeights::TrainedWeights;
  torch::Tensor steps() const override { return first_steps(); }
  torch::Tensor in_steps() const override {
    const torch::Tensor t = v_.tanh();
    return t / along_axis(by_channel(t.detach().abs(), start_.axis).amax(1).clamp_min(kLeastStep)) * start_.bounds.hi;
  }

 protected:
  torch::Tensor from_steps(const torch::Tensor& w) const override {
    const torch::Tensor most = along_axis(by_channel(v_.tanh().abs(), start_.axis).amax(1));
    return (w / start_.bounds.hi * most).atanh();
  }
};

}  // namespace

std::unique_ptr<WeightQuantizer> weights_through_tanh(const WeightStart& start) { return std::make_unique<ThroughTanh>(start); }

}  // namespace halftone::qat
