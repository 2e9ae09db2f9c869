// U with UᵀU = h⁻¹.
#include "halftone/numeric/triangular.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>

namespace halftone::numeric {
namespace {

using testing::ElementsAre;

// XXᵀ/16 + I/4 of n×16 random numbers X: its eigenvalues lie between 1/4 and some n/40.
std::vector<double> definite(std::size_t n, std::uint32_t seed) {
  constexpr std::size_t kRank = 16;
  std::mt19937 random(seed);
  std::vector<double> x(n * kRank);
  for (double& v : x) v = static_cast<double>(random()) / 0x1p31 - 1.0;
  std::vector<double> h(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < kRank; ++k) h[i * n + j] += x[i * kRank + k] * x[j * kRank + k] / kRank;
      h[i * n + j] += i == j ? 0.25 : 0.0;
    }
  return h;
}

// The largest |(h·UᵀU − I)|, and of U below its diagonal.
double distance(const std::vector<double>& h, const std::vector<double>& u, std::size_t n) {
  std::vector<double> t(n * n, 0.0);  // hUᵀ
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t j = 0; j < n; ++j) t[i * n + k] += h[i * n + j] * u[k * n + j];
  double largest = 0.0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double sum = i == j ? -1.0 : 0.0;
      for (std::size_t k = 0; k < n; ++k) sum += t[i * n + k] * u[k * n + j];
      largest = std::max({largest, std::abs(sum), j < i ? std::abs(u[i * n + j]) : 0.0});
    }
  return largest;
}

TEST(InverseRoot, OfHandWorkedNumbers) {
  EXPECT_THAT(inverse_root({4}, 1, 1), ElementsAre(0.5));
  // h⁻¹ = (4, −2; −2, 2)/4 and U = (1, −1/2; 0, 1/2): U's first row is h⁻¹'s by its root.
  EXPECT_THAT(inverse_root({2, 2, 2, 4}, 2, 1), ElementsAre(1.0, -0.5, 0.0, 0.5));
}

TEST(InverseRoot, IsOneAtEveryEdgeOfItsBlocks) {
  for (std::size_t n : {1, 2, 63, 64, 65, 127, 129, 255, 256, 257, 300}) {
    const std::vector<double> h = definite(n, static_cast<std::uint32_t>(n));
    EXPECT_LT(distance(h, inverse_root(h, n, 1), n), 1e-11) << n;
  }
}

RC_GTEST_PROP(InverseRoot, IsTheSameForAnyThreads, ()) {
  const std::size_t n = *rc::gen::inRange<std::size_t>(200, 600);
  const std::vector<double> h = definite(n, *rc::gen::arbitrary<std::uint32_t>());
  RC_ASSERT(inverse_root(h, n, 1) == inverse_root(h, n, 3));
}

TEST(InverseRoot, IsEmptyOfWhatIsNotDefinite) {
  EXPECT_TRUE(inverse_root({0}, 1, 1).empty());
  EXPECT_TRUE(inverse_root({-1}, 1, 1).empty());
  EXPECT_TRUE(inverse_root({NAN}, 1, 1).empty());
  EXPECT_TRUE(inverse_root({1, 2, 2, 1}, 2, 1).empty());
}

}  // namespace
}  // namespace halftone::numeric
