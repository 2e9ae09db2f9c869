#include "halftone/qat/quantizers/steps_alone.h"

#include <algorithm>
#include <cmath>

namespace halftone::qat {

StepBounds bounds_of(const numeric::IntegerFormat& format, std::int32_t zero_point) {
  return {static_cast<float>(format.qmin() - zero_point), static_cast<float>(format.qmax() - zero_point)};
}

double gradient_scale(const torch::Tensor& x, const StepBounds& bounds) {
  const auto elements = static_cast<double>(x.numel() / std::max<std::int64_t>(1, x.size(0)));
  return 1.0 / std::sqrt(std::max(1.0, elements) * static_cast<double>(std::max(1.0F, bounds.hi)));
}

StepsAlone::StepsAlone(const ActivationStart& start, StepKind kind, StepGradient gradient, bool passes)
    : steps_({start.affine.scale}, kind),
      zero_point_(start.affine.zero_point),
      shape_{.bounds = bounds_of(start.format, zero_point_), .gradient = gradient, .passes_outside = passes} {}

void StepsAlone::begin(bool) { now_ = steps_.now(); }

torch::Tensor StepsAlone::forward(const torch::Tensor& x) {
  StepShape shape = shape_;
  if (shape.gradient == StepGradient::rounding) shape.gradient_scale = gradient_scale(x, shape.bounds);
  return round_to_steps(x, now_, shape);
}

numeric::Affine StepsAlone::affine() const { return {steps_.now().item<float>(), zero_point_}; }

std::vector<NamedTensor> StepsAlone::tensors() const {
  return steps_.is_learnt() ? std::vector<NamedTensor>{{"step", steps_.logarithm(), Role::step}} : std::vector<NamedTensor>{};
}

std::unique_ptr<ActivationQuantizer> straight_through(const ActivationStart& start) { return std::make_unique<StepsAlone>(start, StepKind::fixed); }

std::unique_ptr<ActivationQuantizer> straight_through_everywhere(const ActivationStart& start) {
  return std::make_unique<StepsAlone>(start, StepKind::fixed, StepGradient::rounding, /*passes=*/true);
}

std::unique_ptr<ActivationQuantizer> learnt_steps(const ActivationStart& start) { return std::make_unique<StepsAlone>(start, StepKind::learnt); }

std::unique_ptr<ActivationQuantizer> learnt_powers_of_two(const ActivationStart& start) {
  return std::make_unique<StepsAlone>(start, StepKind::power_of_two);
}

}  // namespace halftone::qat
