#include "halftone/qat/quantizers/weight_quantizer.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "halftone/qat/quantizers/round_to_steps.h"
#include "halftone/qat/quantizers/sawb.h"
#include "halftone/qat/quantizers/steps.h"

namespace halftone::qat {
namespace {

constexpr float kHeld = 0.45F;  // steps from the integer that was chosen, at most, where training begins
constexpr double kMomentum = 0.01;  // of the average of oscillations
constexpr float kLeastStep = 1e-30F;

// [C] in the shape that broadcasts along `axis`.
torch::Tensor along(const torch::Tensor& values, std::int64_t axis, std::int64_t rank) {
  if (values.numel() == 1) return values.reshape({});
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(axis)] = values.numel();
  return values.reshape(shape);
}

// The largest, and means, of all but `axis`: [1] or [channels].
torch::Tensor by_channel(const torch::Tensor& w, std::int64_t axis) {
  return axis < 0 ? w.reshape({1, -1}) : w.movedim(axis, 0).reshape({w.size(axis), -1});
}

torch::Tensor uniform(const torch::Tensor& like, std::uint64_t seed) {
  return at::rand(like.sizes(), at::detail::createCPUGenerator(seed), like.options().requires_grad(false)) - 0.5F;
}

// Which integers went to and fro.
class Oscillations {
 public:
  explicit Oscillations(const torch::Tensor& like)
      : last_(torch::Tensor()), direction_(at::zeros_like(like)), share_(at::zeros_like(like)), mean_(at::zeros_like(like)), frozen_(at::zeros_like(like)), started_(torch::zeros({1})) {
    last_ = at::zeros_like(like);
  }

  // `w` in steps, whose integers are `q`.
  void see(torch::Tensor& w, const torch::Tensor& q, double most) {
    if (started_.item<float>() == 0.0F) {
      started_.fill_(1.0F);
      last_.copy_(q);
      mean_.copy_(q);
      return;
    }
    const torch::Tensor moved = (q - last_).sign();
    const torch::Tensor turned = (moved * direction_).lt(0).to(at::kFloat);
    share_.mul_(1.0 - kMomentum).add_(turned, kMomentum);
    mean_.mul_(1.0 - kMomentum).add_(q, kMomentum);
    direction_.copy_(at::where(moved.ne(0), moved, direction_));
    last_.copy_(q);
    frozen_.copy_(at::maximum(frozen_, share_.gt(most).to(at::kFloat)));
    w.copy_(at::where(frozen_.ne(0), mean_.round(), w));
  }

  std::vector<NamedTensor> tensors() const {
    return {{"last", last_}, {"direction", direction_}, {"share", share_}, {"mean", mean_}, {"frozen", frozen_}, {"started", started_}};
  }

 private:
  torch::Tensor last_, direction_, share_, mean_, frozen_, started_;
};

// What all have: v is trained, the largest weight that the steps of the start hold being 1.
class Weights : public WeightQuantizer {
 public:
  explicit Weights(const WeightStart& start) : start_(start) {
    const torch::Tensor s = along(torch::tensor(start.scales), start.axis, start.w.dim());
    const torch::Tensor away = (start.w / s - start.q).clamp(-kHeld, kHeld);
    v_ = ((start.q + away).clamp(start.bounds.lo, start.bounds.hi) / start.bounds.hi).contiguous();
    v_.requires_grad_();
  }

  torch::Tensor integers(const WeightRun& run) const override {
    const torch::Tensor one = torch::ones({1});
    torch::Tensor w = in_steps();
    if (run.noise != WeightNoise::none) w = w + uniform(w, run.seed);
    if (run.noise == WeightNoise::additive) return w.clamp(start_.bounds.lo, start_.bounds.hi);
    if (!start_.is_binary) return round_to_steps(w, one, {.bounds = start_.bounds});
    return 2 * round_to_steps((w + 1) * 0.5F, one, {.bounds = {0, 1}}) - 1;
  }

  torch::Tensor weights(const torch::Tensor& steps, const WeightRun& run) const override { return integers(run) * along_axis(steps); }

  std::vector<NamedTensor> tensors() const override {
    std::vector<NamedTensor> all{{"v", v_, Role::weights}};
    if (oscillations_)
      for (const NamedTensor& each : oscillations_->tensors()) all.push_back(each);
    return all;
  }

  void freeze_oscillating(double share) override {
    const torch::NoGradGuard guard;
    if (!oscillations_) oscillations_.emplace(v_);
    const torch::Tensor before = in_steps();
    torch::Tensor w = before.clone();
    oscillations_->see(w, integers({}), share);
    v_.copy_(at::where(w.eq(before), v_, from_steps(w)));
  }

 protected:
  // v of weights in steps.
  virtual torch::Tensor from_steps(const torch::Tensor& w) const { return w / start_.bounds.hi; }
  torch::Tensor along_axis(const torch::Tensor& values) const { return along(values, start_.axis, v_.dim()); }
  torch::Tensor first_steps() const { return torch::tensor(start_.scales); }

  WeightStart start_;
  torch::Tensor v_;
  std::optional<Oscillations> oscillations_;
};

class AtSteps : public Weights {
 public:
  AtSteps(const WeightStart& start, StepKind kind) : Weights(start), steps_(start.scales, kind) {}
  torch::Tensor steps() const override { return steps_.now(); }
  torch::Tensor in_steps() const override { return v_ * start_.bounds.hi; }
  torch::Tensor weights(const torch::Tensor& steps, const WeightRun& run) const override {
    if (run.noise != WeightNoise::none || start_.is_binary) return Weights::weights(steps, run);
    return round_weights(v_, steps, start_.axis, start_.bounds);
  }
  std::vector<NamedTensor> tensors() const override {
    std::vector<NamedTensor> all = Weights::tensors();
    if (steps_.is_learnt()) all.push_back({"step", steps_.logarithm(), Role::step});
    return all;
  }

 private:
  Steps steps_;
};

// Steps that follow from the weights, without a gradient to them: w = v·hi·s0.
class ByRule : public Weights {
 public:
  using Weights::Weights;
  torch::Tensor steps() const override {
    const torch::NoGradGuard guard;
    return steps_of(by_channel((v_ * unit()).detach(), start_.axis)).clamp_min(kLeastStep);
  }
  torch::Tensor in_steps() const override { return v_ * (unit() / along_axis(steps())); }

 protected:
  // `w` [channels, elements].
  virtual torch::Tensor steps_of(const torch::Tensor& w) const = 0;
  torch::Tensor from_steps(const torch::Tensor& w) const override { return w * along_axis(steps()) / unit(); }
  torch::Tensor unit() const { return along_axis(first_steps()) * start_.bounds.hi; }
};

class ByLargest : public ByRule {
 public:
  using ByRule::ByRule;

 private:
  torch::Tensor steps_of(const torch::Tensor& w) const override { return w.abs().amax(1) / start_.bounds.hi; }
};

class ByStatistics : public ByRule {
 public:
  explicit ByStatistics(const WeightStart& start) : ByRule(start), fit_(fit_sawb(static_cast<int>(start.bounds.hi))) {}

 private:
  torch::Tensor steps_of(const torch::Tensor& w) const override {
    return (fit_.c1 * w.square().mean(1).sqrt() - fit_.c2 * w.abs().mean(1)) / start_.bounds.hi;
  }

  SawbFit fit_;
};

class ByFirstRun : public Weights {
 public:
  explicit ByFirstRun(const WeightStart& start) : Weights(start) {
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

class ThroughTanh : public Weights {
 public:
  using Weights::Weights;
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

std::unique_ptr<WeightQuantizer> weights_at_fixed_steps(const WeightStart& start) { return std::make_unique<AtSteps>(start, StepKind::fixed); }
std::unique_ptr<WeightQuantizer> weights_at_learnt_steps(const WeightStart& start) { return std::make_unique<AtSteps>(start, StepKind::learnt); }
std::unique_ptr<WeightQuantizer> weights_at_learnt_powers_of_two(const WeightStart& start) { return std::make_unique<AtSteps>(start, StepKind::power_of_two); }
std::unique_ptr<WeightQuantizer> weights_by_largest(const WeightStart& start) { return std::make_unique<ByLargest>(start); }
std::unique_ptr<WeightQuantizer> weights_by_first_run(const WeightStart& start) { return std::make_unique<ByFirstRun>(start); }
std::unique_ptr<WeightQuantizer> weights_by_statistics(const WeightStart& start) { return std::make_unique<ByStatistics>(start); }
std::unique_ptr<WeightQuantizer> weights_through_tanh(const WeightStart& start) { return std::make_unique<ThroughTanh>(start); }

}  // namespace halftone::qat
