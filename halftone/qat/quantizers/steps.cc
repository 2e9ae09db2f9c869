#include "halftone/qat/quantizers/steps.h"

#include <cmath>

namespace halftone::qat {
namespace {

// Steps that are powers of two already stay what they are, whatever the last bit of a logarithm says.
constexpr double kSlack = 1e-5;

}  // namespace

Steps::Steps(const std::vector<float>& s0, StepKind kind)
    : kind_(kind), first_(torch::tensor(s0)), u_(torch::zeros({static_cast<std::int64_t>(s0.size())})) {
  u_.requires_grad_(is_learnt());
}

torch::Tensor Steps::now() const {
  if (kind_ == StepKind::fixed) return first_;
  const torch::Tensor s = first_ * u_.exp();
  if (kind_ == StepKind::learnt) return s;
  const torch::Tensor exponents = (s.detach().log2() - kSlack).ceil();
  const torch::Tensor powers = at::ldexp(at::ones_like(exponents), exponents);
  return powers * (u_.exp() / u_.detach().exp());  // times 1, with the slope of e^u
}

torch::Tensor along(const torch::Tensor& values, std::int64_t axis, std::int64_t rank) {
  if (values.numel() == 1) return values.reshape({});
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(axis)] = values.numel();
  return values.reshape(shape);
}

}  // namespace halftone::qat
