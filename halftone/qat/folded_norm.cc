#include "halftone/qat/folded_norm.h"

namespace halftone::qat {
namespace {

constexpr float kLeast = 1e-6F;  // of a deviation that is one
constexpr double kEpsilon = 1e-12;

}  // namespace

FoldedNorm::FoldedNorm(const Normalized& normalized, const Ranks& ranks)
    : mean_(torch::tensor(normalized.mean)),
      deviation_(torch::tensor(normalized.deviation)),
      is_normal_(deviation_.gt(kLeast)),
      momentum_(1.0 - static_cast<double>(normalized.momentum)),  // of what is new, as torch has it
      ranks_(ranks),
      running_mean_(mean_.clone()),
      running_variance_(deviation_.square()) {}

torch::Tensor FoldedNorm::by_batch(const torch::Tensor& z) {
  const torch::Tensor y = at::batch_norm(z, deviation_, mean_, running_mean_, running_variance_, /*training=*/true, momentum_, kEpsilon, /*cudnn_enabled=*/false);
  if (ranks_.size() > 1) {
    for (torch::Tensor* each : {&running_mean_, &running_variance_}) {
      ranks_.sum(*each);
      each->div_(ranks_.size());
    }
  }
  std::vector<std::int64_t> along(static_cast<std::size_t>(z.dim()), 1);
  along[1] = -1;
  return at::where(is_normal_.reshape(along), y, z);
}

torch::Tensor FoldedNorm::factor() const {
  return at::where(is_normal_, deviation_ / (running_variance_ + kEpsilon).sqrt(), at::ones_like(deviation_));
}

torch::Tensor FoldedNorm::shift() const { return at::where(is_normal_, mean_ - running_mean_ * factor(), at::zeros_like(mean_)); }

}  // namespace halftone::qat
