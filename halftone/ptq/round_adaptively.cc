#include <algorithm>
#include <cmath>

#include "halftone/base/parallel_for.h"
#include "halftone/ptq/rounding.h"

namespace halftone::ptq {
namespace {

constexpr double kStretch = 1.2;    // ζ − γ
constexpr double kBelow = -0.1;     // γ
constexpr double kWarmUp = 0.2;     // of the steps, without the term that pushes h to 0 or 1
constexpr double kBetaFirst = 20.0;
constexpr double kBetaLast = 2.0;
constexpr double kLambda = 0.01;
constexpr double kRate = 0.01;
constexpr double kMomentum = 0.9;
constexpr double kSecondMomentum = 0.999;
constexpr double kEpsilon = 1e-8;

double sigmoid(double v) { return 1.0 / (1.0 + std::exp(-v)); }

// The relaxed rounding of one channel.
class Channel {
 public:
  Channel(const LayerProblem& problem, const Grids& grids, std::int64_t m)
      : problem_(problem), grids_(grids), m_(m), c_(problem.target_of(m)) {
    const auto w = problem.weights_of(m);
    const std::size_t n = w.size();
    floor_.resize(n);
    v_.resize(n);
    h_.resize(n);
    slope_.resize(n);
    first_.assign(n, 0.0);
    second_.assign(n, 0.0);
    gradient_.resize(n);
    for (std::size_t k = 0; k < n; ++k) {
      const Grid& grid = grids.at(m, k);
      const double u = (w[k] / grid.scale - grid.lo) / grid.step;
      floor_[k] = std::clamp(std::floor(u), 0.0, static_cast<double>((grid.hi - grid.lo) / grid.step - 1));
      const double rest = std::clamp(u - floor_[k], 0.01, 0.99);
      v_[k] = -std::log(kStretch / (rest - kBelow) - 1.0);
    }
    relax();
    unit_ = unit();
  }

  void step(int index, int steps) {
    relax();
    descend_loss();
    const double done = static_cast<double>(index) / steps;
    if (done >= kWarmUp) push((done - kWarmUp) / (1.0 - kWarmUp));
    adam(index + 1);
  }

  void write(std::span<std::int32_t> u) {
    relax();
    for (std::size_t k = 0; k < u.size(); ++k)
      u[k] = grid(k).lo + grid(k).step * static_cast<std::int32_t>(floor_[k] + (h_[k] >= 0.5 ? 1.0 : 0.0));
  }

 private:
  const Grid& grid(std::size_t k) const { return grids_.at(m_, k); }
  double step_of(std::size_t k) const { return grid(k).scale * grid(k).step; }

  // h and dh/dv.
  void relax() {
    for (std::size_t k = 0; k < v_.size(); ++k) {
      const double s = sigmoid(v_[k]);
      const double h = kStretch * s + kBelow;
      h_[k] = std::clamp(h, 0.0, 1.0);
      slope_[k] = h > 0.0 && h < 1.0 ? kStretch * s * (1.0 - s) : 0.0;
    }
  }

  double value(std::size_t k) const { return grid(k).scale * (grid(k).lo + grid(k).step * (floor_[k] + h_[k])); }

  // The average cost of rounding one weight by half a step: the loss is told in these.
  double unit() const {
    double sum = 0.0;
    for (std::size_t k = 0; k < v_.size(); ++k)
      sum += step_of(k) * step_of(k) * problem_.hessian_of(static_cast<std::int64_t>(k))[k];
    return std::max(0.25 * sum / static_cast<double>(v_.size()), 1e-30);
  }

  void descend_loss() {
    for (std::size_t j = 0; j < gradient_.size(); ++j) gradient_[j] = -c_[j];
    for (std::size_t k = 0; k < v_.size(); ++k) {
      const auto row = problem_.hessian_of(static_cast<std::int64_t>(k));
      const auto w = static_cast<float>(value(k));
      for (std::size_t j = 0; j < gradient_.size(); ++j) gradient_[j] += w * row[j];
    }
    for (std::size_t j = 0; j < gradient_.size(); ++j)
      gradient_[j] *= static_cast<float>(2.0 * step_of(j) / unit_ * slope_[j]);
  }

  void push(double part) {
    const double beta = kBetaLast + (kBetaFirst - kBetaLast) * 0.5 * (1.0 + std::cos(part * M_PI));
    for (std::size_t k = 0; k < v_.size(); ++k) {
      const double x = 2.0 * h_[k] - 1.0;
      const double slope = -kLambda * beta * std::pow(std::abs(x), beta - 1.0) * (x < 0.0 ? -2.0 : 2.0);
      gradient_[k] += static_cast<float>(slope * slope_[k]);
    }
  }

  void adam(int t) {
    const double scale1 = 1.0 / (1.0 - std::pow(kMomentum, t));
    const double scale2 = 1.0 / (1.0 - std::pow(kSecondMomentum, t));
    for (std::size_t k = 0; k < v_.size(); ++k) {
      const double g = gradient_[k];
      first_[k] = kMomentum * first_[k] + (1.0 - kMomentum) * g;
      second_[k] = kSecondMomentum * second_[k] + (1.0 - kSecondMomentum) * g * g;
      v_[k] -= kRate * first_[k] * scale1 / (std::sqrt(second_[k] * scale2) + kEpsilon);
    }
  }

  const LayerProblem& problem_;
  const Grids& grids_;
  std::int64_t m_;
  std::span<const float> c_;
  std::vector<double> floor_, v_, h_, slope_, first_, second_;
  std::vector<float> gradient_;
  double unit_ = 1.0;
};

}  // namespace

Rounded round_adaptively(const LayerProblem& problem, const Grids& grids, int steps, int threads) {
  Rounded u(problem.weights.size());
  const auto n = static_cast<std::size_t>(problem.inputs);
  parallel_for(problem.channels, threads, [&](std::int64_t m) {
    Channel channel(problem, grids, m);
    for (int i = 0; i < steps; ++i) channel.step(i, steps);
    channel.write(std::span(u).subspan(static_cast<std::size_t>(m) * n, n));
  });
  return u;
}

}  // namespace halftone::ptq
