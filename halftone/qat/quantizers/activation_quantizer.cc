#include "halftone/qat/quantizers/activation_quantizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/qat/quantizers/round_to_steps.h"
#include "halftone/qat/quantizers/steps.h"

namespace halftone::qat {
namespace {

constexpr double kDecay = 2e-4;     // λ of PACT: the weight decay of the paper's networks
constexpr double kMomentum = 0.99;  // of moving averages: what is kept a batch
constexpr float kLeastRange = 1e-30F;

StepBounds bounds_of(const numeric::IntegerFormat& format, std::int32_t zero_point) {
  return {static_cast<float>(format.qmin() - zero_point), static_cast<float>(format.qmax() - zero_point)};
}

// 1/√(N·hi), N elements a row.
double gradient_scale(const torch::Tensor& x, const StepBounds& bounds) {
  const auto elements = static_cast<double>(x.numel() / std::max<std::int64_t>(1, x.size(0)));
  return 1.0 / std::sqrt(std::max(1.0, elements) * static_cast<double>(std::max(1.0F, bounds.hi)));
}

// The zero point stays; what is learnt is the step, or nothing.
class StepsAlone : public ActivationQuantizer {
 public:
  StepsAlone(const ActivationStart& start, StepKind kind, StepGradient gradient = StepGradient::rounding, bool passes = false)
      : steps_({start.affine.scale}, kind), zero_point_(start.affine.zero_point), shape_{.bounds = bounds_of(start.format, zero_point_), .gradient = gradient, .passes_outside = passes} {}

  void begin(bool) override { now_ = steps_.now(); }
  torch::Tensor forward(const torch::Tensor& x) override {
    StepShape shape = shape_;
    if (shape.gradient == StepGradient::rounding) shape.gradient_scale = gradient_scale(x, shape.bounds);
    return round_to_steps(x, now_, shape);
  }
  torch::Tensor step() const override { return now_; }
  numeric::Affine affine() const override { return {steps_.now().item<float>(), zero_point_}; }
  std::vector<NamedTensor> tensors() const override {
    return steps_.is_learnt() ? std::vector<NamedTensor>{{"step", steps_.logarithm(), Role::step}} : std::vector<NamedTensor>{};
  }

 protected:
  Steps steps_;
  std::int32_t zero_point_;
  StepShape shape_;
  torch::Tensor now_;
};

class LearntClipping : public StepsAlone {
 public:
  explicit LearntClipping(const ActivationStart& start) : StepsAlone(start, StepKind::learnt, StepGradient::clipping) {}
  torch::Tensor penalty() const override { return 0.5 * kDecay * (now_ * static_cast<double>(shape_.bounds.hi)).square().sum(); }
};

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

// Steps that batches show, without a gradient. The values of one run count together, and from the next run on.
class Shown : public ActivationQuantizer {
 public:
  Shown(const ActivationStart& start, float lo, float hi)
      : start_(start), range_(torch::tensor({lo, hi})), batch_(torch::full({2}, kNothing)), runs_(torch::zeros({1})) {}

  void begin(bool training) override {
    training_ = training;
    if (!training || batch_[1].item<float>() == kNothing) return;
    take(-batch_[0].item<float>(), batch_[1].item<float>());
    batch_.fill_(kNothing);
    runs_.add_(1.0F);
  }
  torch::Tensor forward(const torch::Tensor& x) override {
    if (training_) look(x);
    return round_to_steps(x, step(), {.bounds = bounds_of(start_.format, affine().zero_point)});
  }
  torch::Tensor step() const override { return torch::full({1}, affine().scale); }
  std::vector<NamedTensor> tensors() const override { return {{"range", range_}, {"batch", batch_}, {"runs", runs_}}; }

 protected:
  // What the last run showed.
  virtual void take(float lo, float hi) = 0;
  virtual void look(const torch::Tensor& x) {
    const torch::NoGradGuard guard;
    torch::Tensor both = x.numel() > 0 ? at::stack({-x.min(), x.max()}) : torch::full({2}, kNothing);
    start_.ranks->maximum(both);
    batch_.copy_(at::maximum(batch_, both));
  }

  static constexpr float kNothing = -std::numeric_limits<float>::infinity();
  ActivationStart start_;
  torch::Tensor range_;  // least and largest
  torch::Tensor batch_;  // −least and largest so far
  torch::Tensor runs_;   // that were taken
  bool training_ = false;
};

class MovingExtremes : public Shown {
 public:
  explicit MovingExtremes(const ActivationStart& start)
      : Shown(start, start.affine.scale * bounds_of(start.format, start.affine.zero_point).lo, start.affine.scale * bounds_of(start.format, start.affine.zero_point).hi) {}

  numeric::Affine affine() const override {
    const StepBounds bounds = bounds_of(start_.format, start_.affine.zero_point);
    const float above = bounds.hi > 0 ? range_[1].item<float>() / bounds.hi : 0.0F;
    const float below = bounds.lo < 0 ? range_[0].item<float>() / bounds.lo : 0.0F;
    return {std::max({above, below, kLeastRange}), start_.affine.zero_point};
  }

 private:
  void take(float lo, float hi) override { range_.mul_(kMomentum).add_(torch::tensor({lo, hi}), 1.0 - kMomentum); }
};

class FirstBatch : public Shown {
 public:
  explicit FirstBatch(const ActivationStart& start) : Shown(start, 0.0F, 0.0F), never_negative_(start.affine.zero_point == start.format.qmin()) {}

  // In the first run the largest so far counts.
  numeric::Affine affine() const override {
    const bool taken = runs_.item<float>() > 0.0F;
    const float lo = taken ? range_[0].item<float>() : -batch_[0].item<float>();
    const float hi = taken ? range_[1].item<float>() : batch_[1].item<float>();
    if (hi == kNothing) return {start_.affine.scale, zero_point()};
    return {std::max({hi, -lo, kLeastRange}) / std::exp2(static_cast<float>(start_.format.bits - 1)), zero_point()};
  }

 private:
  // The offset α is 2^(bits−1) steps above the middle of the codes.
  std::int32_t zero_point() const {
    if (never_negative_) return start_.format.qmin();
    return start_.format.is_signed ? 0 : 1 << (start_.format.bits - 1);
  }

  void take(float lo, float hi) override {
    range_[0].fill_(lo);
    range_[1].fill_(hi);
  }
  void look(const torch::Tensor& x) override {
    if (runs_.item<float>() == 0.0F) Shown::look(x);
  }

  bool never_negative_;
};

}  // namespace

std::unique_ptr<ActivationQuantizer> straight_through(const ActivationStart& start) { return std::make_unique<StepsAlone>(start, StepKind::fixed); }
std::unique_ptr<ActivationQuantizer> straight_through_everywhere(const ActivationStart& start) {
  return std::make_unique<StepsAlone>(start, StepKind::fixed, StepGradient::rounding, /*passes=*/true);
}
std::unique_ptr<ActivationQuantizer> learnt_steps(const ActivationStart& start) { return std::make_unique<StepsAlone>(start, StepKind::learnt); }
std::unique_ptr<ActivationQuantizer> learnt_powers_of_two(const ActivationStart& start) { return std::make_unique<StepsAlone>(start, StepKind::power_of_two); }
std::unique_ptr<ActivationQuantizer> learnt_offsets(const ActivationStart& start) { return std::make_unique<LearntOffsets>(start); }
std::unique_ptr<ActivationQuantizer> learnt_clipping(const ActivationStart& start) { return std::make_unique<LearntClipping>(start); }
std::unique_ptr<ActivationQuantizer> moving_extremes(const ActivationStart& start) { return std::make_unique<MovingExtremes>(start); }
std::unique_ptr<ActivationQuantizer> first_batch(const ActivationStart& start) { return std::make_unique<FirstBatch>(start); }

}  // namespace halftone::qat
