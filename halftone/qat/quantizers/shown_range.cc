#include "halftone/qat/quantizers/shown_range.h"

namespace halftone::qat {

ShownRange::ShownRange(const ActivationStart& start, float lo, float hi)
    : start_(start), range_(torch::tensor({lo, hi})), batch_(torch::full({2}, kNothing)), runs_(torch::zeros({1})) {}

void ShownRange::begin(bool training) {
  training_ = training;
  if (!training || batch_[1].item<float>() == kNothing) return;
  take(-batch_[0].item<float>(), batch_[1].item<float>());
  batch_.fill_(kNothing);
  runs_.add_(1.0F);
}

torch::Tensor ShownRange::forward(const torch::Tensor& x) {
  if (training_) look(x);
  return round_to_steps(x, step(), {.bounds = bounds_of(start_.format, affine().zero_point)});
}

void ShownRange::look(const torch::Tensor& x) {
  const torch::NoGradGuard guard;
  torch::Tensor both = x.numel() > 0 ? at::stack({-x.min(), x.max()}) : torch::full({2}, kNothing);
  start_.ranks->maximum(both);
  batch_.copy_(at::maximum(batch_, both));
}

}  // namespace halftone::qat
