#include "halftone/ptq/layer_problem.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/parallel_for.h"

namespace halftone::ptq {

// Inputs that are always zero, or lie where float32 has no digits left for their squares, leave all to the weights.
constexpr double kLeastMean = 1e-30;

std::int32_t Grid::nearest(double u) const {
  const double steps = std::nearbyint((u - lo) / step);
  return static_cast<std::int32_t>(std::clamp<double>(lo + step * steps, lo, hi));
}

void damp(LayerProblem& problem, double factor) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < problem.inputs; ++k)
    sum += problem.hessian_of(k)[static_cast<std::size_t>(k)];
  const double mean = sum / static_cast<double>(problem.inputs);
  const double added = mean > kLeastMean ? factor * mean : 1.0;
  for (std::int64_t k = 0; k < problem.inputs; ++k)
    problem.hessian[static_cast<std::size_t>(k * problem.inputs + k)] += static_cast<float>(added);
  for (std::size_t i = 0; i < problem.target.size(); ++i)
    problem.target[i] += static_cast<float>(added * problem.weights[i]);
}

Rounding with_response(const LayerProblem& problem, const Grids& grids, std::vector<std::int32_t> u, int threads) {
  const auto size = static_cast<std::size_t>(problem.inputs);
  Rounding rounding{.u = std::move(u), .response = std::vector<double>(problem.target.size(), 0.0)};
  // A row of H serves all channels of a piece while it is at hand.
  parallel_for((problem.channels + kChannelsAtOnce - 1) / kChannelsAtOnce, threads, [&](std::int64_t piece) {
    const std::int64_t first = piece * kChannelsAtOnce;
    for (std::size_t k = 0; k < size; ++k) {
      const float* h = problem.hessian_of(static_cast<std::int64_t>(k)).data();
      for (std::int64_t m = first; m < std::min(problem.channels, first + kChannelsAtOnce); ++m) {
        const std::size_t row = static_cast<std::size_t>(m) * size;
        if (rounding.u[row + k] == 0) continue;
        const double w = grids.at(m, k).scale * rounding.u[row + k];
        double* out = rounding.response.data() + row;
        for (std::size_t j = 0; j < size; ++j) out[j] += w * h[j];
      }
    }
  });
  return rounding;
}

Forms forms_of(const LayerProblem& problem, const Grids& grids, std::int64_t m, const Rounding& rounding) {
  Forms forms;
  const auto c = problem.target_of(m);
  const std::size_t row = static_cast<std::size_t>(m) * c.size();
  for (std::size_t k = 0; k < c.size(); ++k) {
    const double w = grids.at(m, k).scale * rounding.u[row + k];
    forms.quadratic += w * rounding.response[row + k];
    forms.linear += w * c[k];
  }
  return forms;
}

}  // namespace halftone::ptq
