#include "halftone/numeric/svd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace halftone::numeric {
namespace {

constexpr int kMaxSweeps = 60;
constexpr double kOrthogonal = 0x1p-48;  // |a·b| / (|a|·|b|)

double dot(std::span<const double> a, std::span<const double> b) {
  // Four sums keep the loop from waiting for each addition.
  double sums[4] = {0.0, 0.0, 0.0, 0.0};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4)
    for (std::size_t k = 0; k < 4; ++k) sums[k] += a[i + k] * b[i + k];
  for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

void rotate(std::span<double> a, std::span<double> b, double cosine, double sine) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    a[i] = cosine * x - sine * b[i];
    b[i] = sine * x + cosine * b[i];
  }
}

// Vectors of one length, one after the other.
struct Vectors {
  std::vector<double> numbers;
  std::size_t length = 0;

  std::span<double> operator[](std::size_t i) { return std::span(numbers).subspan(i * length, length); }
};

// Makes vectors p and q of `a` orthogonal, and `turned` take the same turn. Whether they were not.
bool make_orthogonal(Vectors& a, Vectors& turned, std::vector<double>& squares, std::size_t p,
                     std::size_t q) {
  const double product = dot(a[p], a[q]);
  if (!(std::abs(product) > kOrthogonal * std::sqrt(squares[p]) * std::sqrt(squares[q]))) return false;
  const double zeta = (squares[q] - squares[p]) / (2.0 * product);
  const double tangent = (zeta < 0.0 ? -1.0 : 1.0) / (std::abs(zeta) + std::hypot(1.0, zeta));
  const double cosine = 1.0 / std::hypot(1.0, tangent);
  rotate(a[p], a[q], cosine, cosine * tangent);
  rotate(turned[p], turned[q], cosine, cosine * tangent);
  squares[p] = dot(a[p], a[p]);
  squares[q] = dot(a[q], a[q]);
  return true;
}

// [rows, columns] as [columns, rows].
std::vector<double> transposed(std::span<const double> a, std::size_t rows, std::size_t columns) {
  std::vector<double> result(a.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) result[c * rows + r] = a[r * columns + c];
  return result;
}

// Once they are orthogonal, the vectors' lengths are s and their directions U, longest first; their turns are
// V.
Svd in_order(Vectors& a, Vectors& turned, const std::vector<double>& squares) {
  const std::size_t count = squares.size();
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t x, std::size_t y) { return squares[x] > squares[y]; });
  Svd result{.rows = static_cast<std::int64_t>(a.length), .columns = static_cast<std::int64_t>(count)};
  result.u.resize(a.length * count);
  result.v.resize(count * count);
  for (std::size_t k = 0; k < count; ++k) {
    const double s = std::sqrt(squares[order[k]]);
    result.s.push_back(s);
    for (std::size_t i = 0; i < a.length; ++i) result.u[i * count + k] = s > 0.0 ? a[order[k]][i] / s : 0.0;
    for (std::size_t i = 0; i < count; ++i) result.v[i * count + k] = turned[order[k]][i];
  }
  return result;
}

}  // namespace

Svd svd(std::span<const double> a, std::int64_t rows, std::int64_t columns) {
  if (rows < columns) {
    const auto flipped = transposed(a, static_cast<std::size_t>(rows), static_cast<std::size_t>(columns));
    Svd other = svd(flipped, columns, rows);
    return {rows, columns, std::move(other.v), std::move(other.s), std::move(other.u)};
  }
  const auto count = static_cast<std::size_t>(columns);
  Vectors vectors{transposed(a, static_cast<std::size_t>(rows), count), static_cast<std::size_t>(rows)};
  // The largest number becomes about 1: no square overflows or vanishes.
  double largest = 0.0;
  for (double x : a) largest = std::max(largest, std::abs(x));
  const int exponent = largest > 0.0 ? std::ilogb(largest) : 0;
  for (double& x : vectors.numbers) x = std::ldexp(x, -exponent);
  Vectors turned{std::vector<double>(count * count, 0.0), count};
  std::vector<double> squares;
  for (std::size_t i = 0; i < count; ++i) {
    turned[i][i] = 1.0;
    squares.push_back(dot(vectors[i], vectors[i]));
  }
  bool moved = true;
  for (int sweep = 0; sweep < kMaxSweeps && moved; ++sweep) {
    moved = false;
    for (std::size_t p = 0; p + 1 < count; ++p)
      for (std::size_t q = p + 1; q < count; ++q)
        moved = make_orthogonal(vectors, turned, squares, p, q) || moved;
  }
  Svd result = in_order(vectors, turned, squares);
  for (double& s : result.s) s = std::ldexp(s, exponent);
  return result;
}

}  // namespace halftone::numeric
