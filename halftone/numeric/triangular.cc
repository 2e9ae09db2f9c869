#include "halftone/numeric/triangular.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "halftone/base/parallel_for.h"

namespace halftone::numeric {
namespace {

constexpr std::size_t kRows = 64;      // finished together
constexpr std::size_t kColumns = 256;  // a piece of work

// A matrix of which one triangle counts.
struct Matrix {
  std::span<double> all;
  std::size_t n;
  double* row(std::size_t i) const { return all.data() + i * n; }
};

// a[i] −= by·b[i], from..to.
void take_away(double* a, const double* b, double by, std::size_t from, std::size_t to) {
  for (std::size_t j = from; j < to; ++j) a[j] -= by * b[j];
}

// Pieces of the columns from..n, on threads.
template <typename F>
void by_columns(std::size_t from, std::size_t n, int threads, const F& work) {
  const std::size_t pieces = (n - from + kColumns - 1) / kColumns;
  parallel_for(static_cast<std::int64_t>(pieces), threads, [&](std::int64_t piece) {
    const std::size_t first = from + static_cast<std::size_t>(piece) * kColumns;
    work(first, std::min(n, first + kColumns));
  });
}

// R upper triangular with RᵀR = a, in place of a's upper triangle: row i is (a_i − Σ_{k<i} r_ki·r_k)/r_ii. False when a is not
// positive definite.
bool cholesky(const Matrix& a, int threads) {
  for (std::size_t first = 0; first < a.n; first += kRows) {
    const std::size_t last = std::min(a.n, first + kRows);
    by_columns(first, a.n, threads, [&](std::size_t from, std::size_t to) {
      for (std::size_t k = 0; k < first; ++k)
        for (std::size_t i = first; i < std::min(last, to); ++i)
          take_away(a.row(i), a.row(k), a.row(k)[i], std::max(i, from), to);
    });
    for (std::size_t i = first; i < last; ++i) {
      for (std::size_t k = first; k < i; ++k) take_away(a.row(i), a.row(k), a.row(k)[i], i, a.n);
      if (!(a.row(i)[i] > 0.0)) return false;
      const double root = std::sqrt(a.row(i)[i]);
      for (std::size_t j = i; j < a.n; ++j) a.row(i)[j] /= root;
    }
  }
  return true;
}

// R⁻¹ in place of R's upper triangle, from the last row: row i of X is (e_i − Σ_{k>i} r_ik·x_k)/r_ii.
void invert(const Matrix& r, int threads) {
  std::vector<double> block(kRows * r.n);  // rows of R that X takes the place of
  for (std::size_t last = r.n; last > 0;) {
    const std::size_t first = last > kRows ? last - kRows : 0;
    std::copy(r.row(first), r.row(first) + (last - first) * r.n, block.begin());
    const auto own = [&](std::size_t i) { return block.data() + (i - first) * r.n; };
    by_columns(first, r.n, threads, [&](std::size_t from, std::size_t to) {
      for (std::size_t i = first; i < last; ++i) std::fill(r.row(i) + std::max(i, from), r.row(i) + std::max(i, to), 0.0);
      for (std::size_t k = last; k < to; ++k)
        for (std::size_t i = first; i < last; ++i) take_away(r.row(i), r.row(k), own(i)[k], std::max(k, from), to);
      for (std::size_t i = last; i-- > first;) {
        if (from <= i && i < to) r.row(i)[i] = 1.0;
        for (std::size_t k = i + 1; k < std::min(last, to); ++k)
          take_away(r.row(i), r.row(k), own(i)[k], std::max(k, from), to);
        for (std::size_t j = std::max(i, from); j < to; ++j) r.row(i)[j] /= own(i)[i];
      }
    });
    last = first;
  }
}

}  // namespace

std::vector<double> inverse_root(std::vector<double> h, std::size_t n, int threads) {
  // RᵀR of h read from its end gives M = Rᵀ read from its end, and so U = M⁻¹ = (R⁻¹)ᵀ read from its end.
  std::ranges::reverse(h);
  const Matrix r{h, n};
  if (!cholesky(r, threads)) return {};
  invert(r, threads);
  std::vector<double> u(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i; j < n; ++j) u[i * n + j] = r.row(n - 1 - j)[n - 1 - i];
  return u;
}

}  // namespace halftone::numeric
