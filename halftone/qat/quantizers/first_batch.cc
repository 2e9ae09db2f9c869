#include "halftone/qat/quantizers/shown_range.h"

#include <algorithm>
#include <cmath>

namespace halftone::qat {
namespace {

class FirstBatch : public ShownRange {
 public:
  explicit FirstBatch(const ActivationStart& start) : ShownRange(start, 0.0F, 0.0F), never_negative_(start.affine.zero_point == start.format.qmin()) {}

  // In the first run the largest so far counts.
  numeric::Affine affine() const override {
    const bool taken = runs_.item<float>() > 0.0F;
    const float lo = taken ? range_[0].item<float>() : -batch_[0].item<float>();
    const float hi = taken ? range_[1].item<float>() : batch_[1].item<float>();
    if (hi == kNothing) return {start_.affine.scale, zero_point()};
    return {std::max({hi, -lo, kLeastStep}) / std::exp2(static_cast<float>(start_.format.bits - 1)), zero_point()};
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
    if (runs_.item<float>() == 0.0F) ShownRange::look(x);
  }

  bool never_negative_;
};

}  // namespace

std::unique_ptr<ActivationQuantizer> first_batch(const ActivationStart& start) { return std::make_unique<FirstBatch>(start); }

}  // namespace halftone::qat
