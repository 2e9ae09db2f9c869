#include "halftone/qat/quantizers/oscillations.h"

namespace halftone::qat {
namespace {

constexpr double kMomentum = 0.01;  // of averages

}  // namespace

Oscillations::Oscillations(const torch::Tensor& like)
    : last_(at::zeros_like(like)),
      direction_(at::zeros_like(like)),
      share_(at::zeros_like(like)),
      mean_(at::zeros_like(like)),
      frozen_(at::zeros_like(like)),
      started_(torch::zeros({1})) {}

void Oscillations::see(torch::Tensor& w, const torch::Tensor& q, double most, bool is_binary) {
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
  const torch::Tensor usual = is_binary ? at::where(mean_.ge(0), at::ones_like(w), -at::ones_like(w)) : mean_.round();
  w.copy_(at::where(frozen_.ne(0), usual, w));
}

std::vector<NamedTensor> Oscillations::tensors() const {
  return {{"last", last_}, {"direction", direction_}, {"share", share_}, {"mean", mean_}, {"frozen", frozen_}, {"started", started_}};
}

}  // namespace halftone::qat
