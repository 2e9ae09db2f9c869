#include <cmath>

#include "halftone/base/parallel_for.h"
#include "halftone/ptq/rounding.h"

namespace halftone::ptq {
namespace {

constexpr int kMaxSweeps = 50;

// One channel's weights, and Hŵ as they move: half the loss has the gradient Hŵ − c.
class Channel {
 public:
  Channel(const LayerProblem& problem, const Grids& grids, std::int64_t m, Rounding& rounding)
      : problem_(problem),
        grids_(grids),
        m_(m),
        c_(problem.target_of(m)),
        u_(std::span(rounding.u).subspan(static_cast<std::size_t>(m) * c_.size(), c_.size())),
        response_(std::span(rounding.response).subspan(static_cast<std::size_t>(m) * c_.size(), c_.size())) {}

  // Whether a weight moved.
  bool sweep() {
    bool moved = false;
    for (std::size_t k = 0; k < u_.size(); ++k) {
      const double curvature = problem_.hessian_of(static_cast<std::int64_t>(k))[k];
      if (!(curvature > 0.0)) continue;
      const Grid& grid = grids_.at(m_, k);
      const double gradient = response_[k] - c_[k];
      const double best = u_[k] - gradient / (curvature * grid.scale);
      const std::int32_t moves = grid.nearest(best) - u_[k];
      const double by = grid.scale * moves;
      // A tie must not move for ever.
      if (moves == 0 || 2.0 * by * gradient + by * by * curvature >= -kLeastGain * by * by * curvature)
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
    const double by = grids_.at(m_, k).scale * moves;
    for (std::size_t j = 0; j < response_.size(); ++j) response_[j] += by * h[j];
  }

  const LayerProblem& problem_;
  const Grids& grids_;
  std::int64_t m_;
  std::span<const float> c_;
  std::span<std::int32_t> u_;
  std::span<double> response_;
};

}  // namespace

void descend(const LayerProblem& problem, const Grids& grids, Rounding& rounding, int threads) {
  parallel_for(problem.channels, threads, [&](std::int64_t m) {
    Channel channel(problem, grids, m, rounding);
    for (int sweep = 0; sweep < kMaxSweeps && channel.sweep(); ++sweep) {
    }
  });
}

Rounded round_nearest(const LayerProblem& problem, const Grids& grids) {
  Rounded u(problem.weights.size());
  const auto inputs = static_cast<std::size_t>(problem.inputs);
  for (std::size_t i = 0; i < u.size(); ++i) {
    const Grid& grid = grids.at(static_cast<std::int64_t>(i / inputs), i % inputs);
    u[i] = grid.nearest(problem.weights[i] / grid.scale);
  }
  return u;
}

}  // namespace halftone::ptq
