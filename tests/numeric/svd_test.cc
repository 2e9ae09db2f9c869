// Singular values: orthogonal factors that multiply to the matrix.
#include "halftone/numeric/svd.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace halftone::numeric {
namespace {

using Matrix = std::vector<double>;

// Entry (i, j) of U·diag(s)·Vᵀ with the first `rank` singular values.
double product(const Svd& f, std::int64_t rank, std::int64_t i, std::int64_t j) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < rank; ++k)
    sum += f.u[static_cast<std::size_t>(i * f.size() + k)] * f.s[static_cast<std::size_t>(k)] *
           f.v[static_cast<std::size_t>(j * f.size() + k)];
  return sum;
}

// The largest |(QᵀQ − I)| of Q [rows, R], over columns whose singular value is not 0.
double skewness(const Matrix& q, std::int64_t rows, const Svd& f) {
  double largest = 0.0;
  for (std::int64_t a = 0; a < f.size(); ++a)
    for (std::int64_t b = 0; b < f.size(); ++b) {
      if (f.s[static_cast<std::size_t>(a)] == 0.0 || f.s[static_cast<std::size_t>(b)] == 0.0) continue;
      double sum = a == b ? -1.0 : 0.0;
      for (std::int64_t i = 0; i < rows; ++i)
        sum += q[static_cast<std::size_t>(i * f.size() + a)] * q[static_cast<std::size_t>(i * f.size() + b)];
      largest = std::max(largest, std::abs(sum));
    }
  return largest;
}

double norm(const Matrix& a) {
  double sum = 0.0;
  for (double x : a) sum += x * x;
  return std::sqrt(sum);
}

// Matrices of every shape; some with columns that hang together, and of very large and small numbers.
Matrix any_matrix(std::int64_t rows, std::int64_t columns) {
  const double scale = *rc::gen::element(1.0, 1e-200, 1e200);
  const bool deficient = *rc::gen::arbitrary<bool>();
  Matrix a;
  for (std::int64_t i = 0; i < rows * columns; ++i) a.push_back(scale * *rc::gen::inRange(-1000, 1001));
  if (deficient)
    for (std::size_t i = 0; i < a.size(); ++i)
      if (static_cast<std::int64_t>(i) % columns == columns - 1)
        a[i] = a[i - static_cast<std::size_t>(columns) + 1];
  return a;
}

RC_GTEST_PROP(Svd, FactorsAreOrthogonalAndMultiplyToTheMatrix, ()) {
  const std::int64_t rows = *rc::gen::resize(100, rc::gen::inRange(1, 18));
  const std::int64_t columns = *rc::gen::resize(100, rc::gen::inRange(1, 18));
  const Matrix a = any_matrix(rows, columns);
  const Svd f = svd(a, rows, columns);
  RC_ASSERT(f.size() == std::min(rows, columns));
  RC_ASSERT(std::ranges::is_sorted(f.s, std::ranges::greater{}));
  RC_ASSERT(f.s.back() >= 0.0);
  double scale = 0.0;
  for (double x : a) scale = std::max(scale, std::abs(x));
  if (scale == 0.0) return;
  // Some 10 sweeps of 17 turns, each of a few roundings: 2^-53·1000; of vectors all but 0, no direction is
  // left.
  Svd whole = f;
  for (double& s : whole.s) s = s < 1e-10 * f.s[0] ? 0.0 : s;
  RC_ASSERT(skewness(f.u, rows, whole) < 1e-12);
  RC_ASSERT(skewness(f.v, columns, rows < columns ? whole : f) < 1e-12);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      RC_ASSERT(std::abs(product(f, f.size(), i, j) - a[static_cast<std::size_t>(i * columns + j)]) <
                1e-12 * f.s[0]);
}

// ‖A − A_r‖ = √(s_r² + s_{r+1}² + …). (Eckart and Young.)
RC_GTEST_PROP(Svd, TheTailIsTheErrorOfALowerRank, ()) {
  const std::int64_t rows = *rc::gen::resize(100, rc::gen::inRange(1, 12));
  const std::int64_t columns = *rc::gen::resize(100, rc::gen::inRange(1, 12));
  Matrix a;
  for (std::int64_t i = 0; i < rows * columns; ++i) a.push_back(*rc::gen::inRange(-1000, 1001));
  const Svd f = svd(a, rows, columns);
  for (std::int64_t rank = 0; rank <= f.size(); ++rank) {
    Matrix rest = a;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        rest[static_cast<std::size_t>(i * columns + j)] -= product(f, rank, i, j);
    const Matrix tail(f.s.begin() + rank, f.s.end());
    RC_ASSERT(std::abs(norm(rest) - norm(tail)) <= 1e-11 * f.s[0]);
  }
}

TEST(Svd, OfKnownMatrices) {
  EXPECT_EQ(svd(Matrix{0, 0, 0, 0, 0, 0}, 3, 2).s, (Matrix{0, 0}));
  EXPECT_EQ(svd(Matrix{-3}, 1, 1).s, (Matrix{3}));
  EXPECT_EQ(svd(Matrix{0, 2, 0, -5, 0, 0, 0, 0, 3}, 3, 3).s, (Matrix{5, 3, 2}));
  // AᵀA = [[25, 20], [20, 25]]: 45 and 5.
  const Svd f = svd(Matrix{3, 0, 4, 5}, 2, 2);
  EXPECT_NEAR(f.s[0], std::sqrt(45.0), 1e-14);
  EXPECT_NEAR(f.s[1], std::sqrt(5.0), 1e-14);
  // One row and one column have one singular value, their length.
  EXPECT_NEAR(svd(Matrix{1, 2, 2}, 1, 3).s.at(0), 3.0, 1e-15);
  EXPECT_NEAR(svd(Matrix{1, 2, 2}, 3, 1).s.at(0), 3.0, 1e-15);
}

// Hilbert's matrix of 5: its least singular value is 3.2879287722e-6, a 2^-18 of the largest.
TEST(Svd, SmallSingularValuesArePrecise) {
  Matrix a;
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 5; ++j) a.push_back(1.0 / (i + j + 1));
  const Svd f = svd(a, 5, 5);
  EXPECT_NEAR(f.s[0], 1.5670506910982308, 1e-14);
  EXPECT_NEAR(f.s[4] / 3.2879287721718630e-6, 1.0, 1e-9);
}

}  // namespace
}  // namespace halftone::numeric
