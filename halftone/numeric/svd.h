// The singular value decomposition of a matrix.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace halftone::numeric {

// A = U·diag(s)·Vᵀ of A [rows, columns], R = min(rows, columns): s_0 >= s_1 >= … >= 0, and the columns of U
// [rows, R] and V [columns, R] orthonormal; where s is 0, that of U (of V, if A has fewer rows than columns)
// is zeros. All row-major.
struct Svd {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> u;
  std::vector<double> s;
  std::vector<double> v;

  std::int64_t size() const { return static_cast<std::int64_t>(s.size()); }
};

// By one-sided Jacobi rotations of A's columns (of its rows where those are fewer), in a fixed order, until
// every two of them are orthogonal to 2^-48 of their lengths: small singular values are as precise as large
// ones. Takes some 10·max·min² steps. `a` is finite, row-major. (Golub and Van Loan, Matrix Computations,
// section 8.6.3; Hestenes, 1958.)
Svd svd(std::span<const double> a, std::int64_t rows, std::int64_t columns);

}  // namespace halftone::numeric
