// The part that all quantizers of weights have in common: v is trained, the largest weight that the steps of the start hold being 1.
#pragma once

#include <optional>
#include <vector>

#include "halftone/qat/quantizers/oscillations.h"
#include "halftone/qat/quantizers/weight_quantizer.h"

namespace halftone::qat {

inline constexpr float kLeastStep = 1e-30F;

// [channels, elements]; one channel where axis is -1.
torch::Tensor by_channel(const torch::Tensor& w, std::int64_t axis);

class TrainedWeights : public WeightQuantizer {
 public:
  explicit TrainedWeights(const WeightStart& start);

  torch::Tensor integers(const WeightRun& run) const override;
  torch::Tensor weights(const torch::Tensor& steps, const WeightRun& run) const override { return integers(run) * along_axis(steps); }
  std::vector<NamedTensor> tensors() const override;
  void freeze_oscillating(double share) override;

 protected:
  // v of weights in steps.
  virtual torch::Tensor from_steps(const torch::Tensor& w) const { return w / start_.bounds.hi; }
  // In the shape that broadcasts along the axis of steps.
  torch::Tensor along_axis(const torch::Tensor& values) const;
  torch::Tensor first_steps() const { return torch::tensor(start_.scales); }

  WeightStart start_;
  torch::Tensor v_;
  std::optional<Oscillations> oscillations_;
};

}  // namespace halftone::qat
