#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"
#include "halftone/numeric/triangular.h"
#include "halftone/ptq/rounding.h"

namespace halftone::ptq {
namespace {

// A row of U serves these channels while it is at hand.
class Channels {
 public:
  Channels(const LayerProblem& problem, const Grids& grids, const std::vector<double>& upper, std::int64_t first)
      : problem_(problem),
        grids_(grids),
        upper_(upper),
        first_(first),
        count_(std::min(kChannelsAtOnce, problem.channels - first)),
        n_(static_cast<std::size_t>(problem.inputs)),
        w_(static_cast<std::size_t>(count_) * n_, 0.0) {}

  // w = H⁻¹c = Uᵀ(Uc).
  void solve() {
    for (std::size_t i = 0; i < n_; ++i)
      for (std::int64_t m = 0; m < count_; ++m) {
        const float* c = problem_.target_of(first_ + m).data();
        double sum = 0.0;
        for (std::size_t j = i; j < n_; ++j) sum += row(i)[j] * c[j];
        for (std::size_t j = i; j < n_; ++j) w(m)[j] += row(i)[j] * sum;
      }
  }

  void round(Rounded& u) {
    for (std::size_t k = 0; k < n_; ++k)
      for (std::int64_t m = 0; m < count_; ++m) {
        const Grid& grid = grids_.at(first_ + m, k);
        const std::int32_t q = grid.nearest(w(m)[k] / grid.scale);
        u[static_cast<std::size_t>(first_ + m) * n_ + k] = q;
        const double error = (w(m)[k] - grid.scale * q) / row(k)[k];
        for (std::size_t j = k + 1; j < n_; ++j) w(m)[j] -= error * row(k)[j];
      }
  }

 private:
  const double* row(std::size_t i) const { return upper_.data() + i * n_; }
  double* w(std::int64_t m) { return w_.data() + static_cast<std::size_t>(m) * n_; }

  const LayerProblem& problem_;
  const Grids& grids_;
  const std::vector<double>& upper_;
  std::int64_t first_;
  std::int64_t count_;
  std::size_t n_;
  std::vector<double> w_;  // [channels here, K], what is left to round
};

}  // namespace

Rounded round_with_feedback(const LayerProblem& problem, const Grids& grids, int threads) {
  const auto n = static_cast<std::size_t>(problem.inputs);
  const std::vector<double> upper =
      numeric::inverse_root(std::vector<double>(problem.hessian.begin(), problem.hessian.end()), n, threads);
  if (upper.empty()) throw InputError("error feedback", "the layer's inputs are not finite, or too few to tell");
  Rounded u(problem.weights.size());
  parallel_for((problem.channels + kChannelsAtOnce - 1) / kChannelsAtOnce, threads, [&](std::int64_t piece) {
    Channels channels(problem, grids, upper, piece * kChannelsAtOnce);
    channels.solve();
    channels.round(u);
  });
  return u;
}

}  // namespace halftone::ptq
