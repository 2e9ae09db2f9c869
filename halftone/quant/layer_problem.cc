#include "halftone/quant/layer_problem.h"

#include <algorithm>
#include <cmath>

namespace halftone::quant {

std::int32_t Grid::nearest(double u) const {
  const double steps = std::nearbyint((u - lo) / step);
  return static_cast<std::int32_t>(std::clamp<double>(lo + step * steps, lo, hi));
}

void damp(LayerProblem& problem, double factor) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < problem.inputs; ++k)
    sum += problem.hessian_of(k)[static_cast<std::size_t>(k)];
  // Inputs that are always zero leave all to the weights.
  const double added = sum > 0.0 ? factor * sum / static_cast<double>(problem.inputs) : 1.0;
  for (std::int64_t k = 0; k < problem.inputs; ++k)
    problem.hessian[static_cast<std::size_t>(k * problem.inputs + k)] += static_cast<float>(added);
  for (std::size_t i = 0; i < problem.target.size(); ++i)
    problem.target[i] += static_cast<float>(added * problem.weights[i]);
}

Forms forms_of(const LayerProblem& problem, std::int64_t m, std::span<const std::int32_t> u) {
  Forms forms;
  const auto c = problem.target_of(m);
  for (std::size_t k = 0; k < u.size(); ++k) {
    if (u[k] == 0) continue;
    const auto h = problem.hessian_of(static_cast<std::int64_t>(k));
    double sum = 0.0;
    for (std::size_t j = 0; j < u.size(); ++j) sum += double{h[j]} * u[j];
    forms.quadratic += sum * u[k];
    forms.linear += double{c[k]} * u[k];
  }
  return forms;
}

}  // namespace halftone::quant
