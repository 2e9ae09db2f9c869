#include "halftone/qat/quantizers/sawb.h"
#include "halftone/qat/quantizers/trained_weights.h"

namespace halftone::qat {
namespace {

// A first step that is so many times the rule's was raised for a bias to fit, or is of zeros: it stays.
constexpr float kRaised = 16.0F;

// Steps that follow from the weights, without a gradient to them: w = v·hi·s0.
class ByRule : public TrainedWeights {
 public:
  using TrainedWeights::TrainedWeights;
  torch::Tensor steps() const override {
    const torch::NoGradGuard guard;
    const torch::Tensor s = steps_of(by_channel((v_ * unit()).detach(), start_.axis));
    return at::where(s * kRaised > first_steps(), s, first_steps());
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
    const torch::Tensor mean = w.abs().mean(1);
    if (start_.is_binary) return mean;  // the best of two levels
    // Few weights may have moments like no distribution that was fitted.
    const torch::Tensor alpha = fit_.c1 * w.square().mean(1).sqrt() - fit_.c2 * mean;
    return alpha.maximum(mean).minimum(w.abs().amax(1)) / start_.bounds.hi;
  }

  SawbFit fit_;
};

}  // namespace

std::unique_ptr<WeightQuantizer> weights_by_largest(const WeightStart& start) { return std::make_unique<ByLargest>(start); }
std::unique_ptr<WeightQuantizer> weights_by_statistics(const WeightStart& start) { return std::make_unique<ByStatistics>(start); }

}  // namespace halftone::qat
