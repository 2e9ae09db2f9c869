#include <cmath>

#include "halftone/base/parallel_for.h"
#include "halftone/quant/rounding.h"

namespace halftone::quant {
namespace {

constexpr int kMaxSweeps = 50;

// One channel's weights, and the gradient Hŵ − c of half the loss as they move.
class Channel {
 public:
  Channel(const LayerProblem& problem, const Grid& grid, std::int64_t m, std::span<std::int32_t> u)
      : problem_(problem), grid_(grid), u_(u), gradient_(u.size()) {
    const auto c = problem.target_of(m);
    for (std::size_t j = 0; j < u.size(); ++j) gradient_[j] = -c[j];
    for (std::size_t k = 0; k < u.size(); ++k) add(k, u[k]);
  }

  // Whether a weight moved.
  bool sweep() {
    bool moved = false;
    for (std::size_t k = 0; k < u_.size(); ++k) {
      const double curvature = problem_.hessian_of(static_cast<std::int64_t>(k))[k];
      if (!(curvature > 0.0)) continue;
      const double best = u_[k] - gradient_[k] / (curvature * grid_.scale);
      const std::int32_t moves = grid_.nearest(best) - u_[k];
      const double by = grid_.scale * moves;
      // A tie must not move for ever.
      if (moves == 0 || 2.0 * by * gradient_[k] + by * by * curvature >= -kLeastGain * by * by * curvature)
        continue;
      add(k, moves);
      u_[k] += moves;
      moved = true;
    }
    return moved;
  }

 private:
  static constexpr double kLeastGain = 1e-6;

  void add(std::size_t k, std::int32_t moves) {
    const auto h = problem_.hessian_of(static_cast<std::int64_t>(k));
    const double by = grid_.scale * moves;
    for (std::size_t j = 0; j < gradient_.size(); ++j) gradient_[j] += by * h[j];
  }

  const LayerProblem& problem_;
  const Grid& grid_;
  std::span<std::int32_t> u_;
  std::vector<double> gradient_;
};

}  // namespace

void descend(const LayerProblem& problem, std::span<const Grid> grids, Rounded& u, int threads) {
  parallel_for(problem.channels, threads, [&](std::int64_t m) {
    const auto size = static_cast<std::size_t>(problem.inputs);
    Channel channel(problem, grids[static_cast<std::size_t>(m)], m,
                    std::span(u).subspan(static_cast<std::size_t>(m) * size, size));
    for (int sweep = 0; sweep < kMaxSweeps && channel.sweep(); ++sweep) {
    }
  });
}

Rounded round_nearest(const LayerProblem& problem, std::span<const Grid> grids) {
  Rounded u(problem.weights.size());
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Grid& grid = grids[i / static_cast<std::size_t>(problem.inputs)];
    u[i] = grid.nearest(problem.weights[i] / grid.scale);
  }
  return u;
}

}  // namespace halftone::quant
