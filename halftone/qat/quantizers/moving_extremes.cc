#include "halftone/qat/quantizers/shown_range.h"

#include <algorithm>

namespace halftone::qat {
namespace {

constexpr double kMomentum = 0.99;  // what is kept a batch

class MovingExtremes : public ShownRange {
 public:
  explicit MovingExtremes(const ActivationStart& start)
      : ShownRange(start, start.affine.scale * bounds_of(start.format, start.affine.zero_point).lo,
                   start.affine.scale * bounds_of(start.format, start.affine.zero_point).hi) {}

  numeric::Affine affine() const override {
    const StepBounds bounds = bounds_of(start_.format, start_.affine.zero_point);
    const float above = bounds.hi > 0 ? range_[1].item<float>() / bounds.hi : 0.0F;
    const float below = bounds.lo < 0 ? range_[0].item<float>() / bounds.lo : 0.0F;
    return {std::max({above, below, kLeastStep}), start_.affine.zero_point};
  }

 private:
  void take(float lo, float hi) override { range_.mul_(kMomentum).add_(torch::tensor({lo, hi}), 1.0 - kMomentum); }
};

}  // namespace

std::unique_ptr<ActivationQuantizer> moving_extremes(const ActivationStart& start) { return std::make_unique<MovingExtremes>(start); }

}  // namespace halftone::qat
