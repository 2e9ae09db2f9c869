#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/parallel_for.h"
#include "halftone/quant/rounding.h"

namespace halftone::quant {
namespace {

// A lower triangular L with LLᵀ = a, [n, n]. Throws InputError when a is not positive definite.
std::vector<double> cholesky(const std::vector<double>& a, std::size_t n) {
  std::vector<double> l(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      const double* li = l.data() + i * n;
      const double* lj = l.data() + j * n;
      for (std::size_t k = 0; k < j; ++k) sum -= li[k] * lj[k];
      if (i == j && !(sum > 0.0))
        throw InputError("error feedback", "the layer's inputs are not finite, or too few to tell");
      l[i * n + j] = i == j ? std::sqrt(sum) : sum / lj[j];
    }
  return l;
}

// Lᵀ·L⁻ᵀ…: (LLᵀ)⁻¹, from L by forward substitution of the unit vectors.
std::vector<double> inverse_of(const std::vector<double>& l, std::size_t n) {
  std::vector<double> inverse_l(n * n, 0.0);
  for (std::size_t c = 0; c < n; ++c)
    for (std::size_t i = c; i < n; ++i) {
      double sum = i == c ? 1.0 : 0.0;
      for (std::size_t k = c; k < i; ++k) sum -= l[i * n + k] * inverse_l[k * n + c];
      inverse_l[i * n + c] = sum / l[i * n + i];
    }
  std::vector<double> inverse(n * n, 0.0);
  for (std::size_t k = 0; k < n; ++k)
    for (std::size_t i = 0; i <= k; ++i)
      for (std::size_t j = 0; j <= k; ++j)
        inverse[i * n + j] += inverse_l[k * n + i] * inverse_l[k * n + j];
  return inverse;
}

// U with UᵀU = a, upper triangular.
std::vector<double> upper_factor(const std::vector<double>& a, std::size_t n) {
  const std::vector<double> l = cholesky(a, n);
  std::vector<double> u(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) u[j * n + i] = l[i * n + j];
  return u;
}

}  // namespace

Rounded round_with_feedback(const LayerProblem& problem, std::span<const Grid> grids, int threads) {
  const auto n = static_cast<std::size_t>(problem.inputs);
  const std::vector<double> h(problem.hessian.begin(), problem.hessian.end());
  const std::vector<double> inverse = inverse_of(cholesky(h, n), n);
  const std::vector<double> upper = upper_factor(inverse, n);
  Rounded u(problem.weights.size());
  parallel_for(problem.channels, threads, [&](std::int64_t m) {
    const Grid& grid = grids[static_cast<std::size_t>(m)];
    const auto c = problem.target_of(m);
    std::vector<double> w(n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) w[i] += inverse[i * n + j] * c[j];
    for (std::size_t k = 0; k < n; ++k) {
      const std::int32_t q = grid.nearest(w[k] / grid.scale);
      u[static_cast<std::size_t>(m) * n + k] = q;
      const double error = (w[k] - grid.scale * q) / upper[k * n + k];
      for (std::size_t j = k + 1; j < n; ++j) w[j] -= error * upper[k * n + j];
    }
  });
  return u;
}

}  // namespace halftone::quant
