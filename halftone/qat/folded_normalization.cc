#include "halftone/qat/folded_normalization.h"

#include <torch/csrc/autograd/custom_function.h>

#include "halftone/qat/quantizers/steps.h"

namespace halftone::qat {
namespace {

constexpr double kMomentum = 0.99;  // what running statistics keep a batch
constexpr double kEpsilon = 1e-5;

// [3, C] of [N, C, ...], in double: elements, z and z². A gradient goes to z.
torch::Tensor sums_of(const torch::Tensor& z) {
  const torch::Tensor by_channel = z.transpose(0, 1).reshape({z.size(1), -1}).to(at::kDouble);
  const torch::Tensor count = torch::full({z.size(1)}, static_cast<double>(by_channel.size(1)), at::kDouble);
  return at::stack({count, by_channel.sum(1), by_channel.square().sum(1)});
}

// A sum over ranks has the gradients of all of them.
class OverRanks : public torch::autograd::Function<OverRanks> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x, const Ranks* ranks) {
    context->saved_data["ranks"] = reinterpret_cast<std::int64_t>(ranks);
    torch::Tensor sum = x.contiguous().clone();
    ranks->sum(sum);
    return sum;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    torch::Tensor sum = gradients[0].contiguous().clone();
    reinterpret_cast<const Ranks*>(context->saved_data["ranks"].toInt())->sum(sum);
    return {sum, torch::Tensor()};
  }
};

struct Normalized {
  torch::Tensor y;
  torch::Tensor mean;
  torch::Tensor deviation;
};

Normalized normalized_alone(const torch::Tensor& z, const torch::Tensor& scale, const torch::Tensor& shift) {
  const auto [y, mean, inverse] = at::native_batch_norm(z, scale, shift, {}, {}, /*training=*/true, /*momentum=*/0.0, kEpsilon);
  return {y, mean.detach(), inverse.detach().reciprocal()};
}

Normalized normalized_by(const torch::Tensor& sums, const torch::Tensor& z, const torch::Tensor& scale, const torch::Tensor& shift) {
  const torch::Tensor mean = sums[1] / sums[0];
  const torch::Tensor deviation = ((sums[2] / sums[0] - mean.square()).clamp_min(0) + kEpsilon).sqrt();
  const torch::Tensor factor = scale / deviation.to(at::kFloat);
  const torch::Tensor y = z * along(factor, 1, z.dim()) + along(shift - mean.to(at::kFloat) * factor, 1, z.dim());
  return {y, mean.detach().to(at::kFloat), deviation.detach().to(at::kFloat)};
}

}  // namespace

FoldedNormalization::FoldedNormalization(const torch::Tensor& first_steps, const Ranks& ranks)
    : ranks_(ranks),
      first_steps_(first_steps.detach().clone()),
      sums_(torch::zeros({3, first_steps.numel()}, at::kDouble)),
      mean_(at::zeros_like(first_steps_)),
      variance_(at::ones_like(first_steps_)),
      running_mean_(at::zeros_like(first_steps_)),
      running_variance_(at::ones_like(first_steps_)) {}

torch::Tensor FoldedNormalization::factor() const { return ((variance_ + kEpsilon) / (running_variance_ + kEpsilon)).sqrt(); }

void FoldedNormalization::measure(const torch::Tensor& y, const torch::Tensor& b) {
  const torch::NoGradGuard guard;
  sums_ += sums_of(y - along(b, 1, y.dim()));
}

void FoldedNormalization::begin() {
  const torch::NoGradGuard guard;
  const torch::Tensor mean = sums_[1] / sums_[0];
  const torch::Tensor variance = (sums_[2] / sums_[0] - mean.square()).clamp_min(0);
  for (torch::Tensor* each : {&mean_, &running_mean_}) each->copy_(mean);
  for (torch::Tensor* each : {&variance_, &running_variance_}) each->copy_(variance);
}

torch::Tensor FoldedNormalization::by_batch(const torch::Tensor& z, const torch::Tensor& s, const torch::Tensor& b, const torch::Tensor& s_x, bool counts) {
  const bool is_alone = ranks_.size() == 1;
  const torch::Tensor sums = is_alone ? torch::Tensor() : OverRanks::apply(counts ? sums_of(z) : sums_of(z) * 0, &ranks_);
  const double elements = is_alone ? static_cast<double>(z.numel() / z.size(1)) : sums[0][0].item<double>();
  if (elements < 2) return z * along(s / first_steps_ * factor(), 1, z.dim()) + along(bias(s, b), 1, z.dim());
  const torch::Tensor scale = s / first_steps_ * (variance_ + kEpsilon).sqrt();
  const torch::Tensor shift = b + mean_;
  const Normalized made = is_alone ? normalized_alone(z, scale, shift) : normalized_by(sums, z, scale, shift);
  torch::Tensor error;  // of rounding the bias
  {
    const torch::NoGradGuard guard;
    running_mean_.mul_(kMomentum).add_(made.mean, 1.0 - kMomentum);
    running_variance_.mul_(kMomentum).add_(made.deviation.square() - kEpsilon, 1.0 - kMomentum);
    const torch::Tensor factor = scale / made.deviation;
    const torch::Tensor step = s_x * first_steps_ * factor;
    const torch::Tensor folded = shift - made.mean * factor;
    error = (folded / step).round() * step - folded;
  }
  return made.y + along(error, 1, z.dim());
}

std::vector<NamedTensor> FoldedNormalization::tensors() const {
  return {{"mean", mean_}, {"variance", variance_}, {"running_mean", running_mean_}, {"running_variance", running_variance_}};
}

}  // namespace halftone::qat
