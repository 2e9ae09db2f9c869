#include "halftone/qat/quantizers/trained_weights.h"

#include <ATen/CPUGeneratorImpl.h>

#include "halftone/qat/quantizers/round_to_steps.h"
#include "halftone/qat/quantizers/steps.h"

namespace halftone::qat {
namespace {

constexpr float kHeld = 0.45F;  // steps from the integer that was chosen, at most, where training begins

torch::Tensor uniform(const torch::Tensor& like, std::uint64_t seed) {
  return at::rand(like.sizes(), at::detail::createCPUGenerator(seed), like.options().requires_grad(false)) - 0.5F;
}

}  // namespace

torch::Tensor by_channel(const torch::Tensor& w, std::int64_t axis) {
  return axis < 0 ? w.reshape({1, -1}) : w.movedim(axis, 0).reshape({w.size(axis), -1});
}

TrainedWeights::TrainedWeights(const WeightStart& start) : start_(start) {
  const torch::Tensor away = (start.w / along_axis(first_steps()) - start.q).clamp(-kHeld, kHeld);
  v_ = ((start.q + away).clamp(start.bounds.lo, start.bounds.hi) / start.bounds.hi).contiguous();
  v_.requires_grad_();
}

torch::Tensor TrainedWeights::along_axis(const torch::Tensor& values) const { return along(values, start_.axis, start_.w.dim()); }

torch::Tensor TrainedWeights::integers(const WeightRun& run) const {
  const torch::Tensor one = torch::ones({1});
  torch::Tensor w = in_steps();
  if (run.noise != WeightNoise::none) w = w + uniform(w, run.seed);
  if (run.noise == WeightNoise::additive) return w.clamp(start_.bounds.lo, start_.bounds.hi);
  if (!start_.is_binary) return round_to_steps(w, one, {.bounds = start_.bounds});
  return 2 * round_to_steps((w + 1) * 0.5F, one, {.bounds = {0, 1}}) - 1;
}

std::vector<NamedTensor> TrainedWeights::tensors() const {
  std::vector<NamedTensor> all{{"v", v_, Role::weights}};
  if (oscillations_)
    for (const NamedTensor& each : oscillations_->tensors()) all.push_back(each);
  return all;
}

void TrainedWeights::freeze_oscillating(double share) {
  const torch::NoGradGuard guard;
  if (!oscillations_) oscillations_.emplace(v_);
  const torch::Tensor before = in_steps();
  torch::Tensor w = before.clone();
  oscillations_->see(w, integers({}), share, start_.is_binary);
  v_.copy_(at::where(w.eq(before), v_, from_steps(w)));
}

}  // namespace halftone::qat
