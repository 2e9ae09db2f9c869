#include "halftone/qat/quantizers/sawb.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

namespace halftone::qat {
namespace {

constexpr int kPoints = 2000;  // of a distribution, at even spacing of probability
constexpr int kTries = 300;    // of α, up to the largest point

// |w| of a distribution whose density at x >= 0 is proportional to `density`, cut at `end`.
std::vector<double> magnitudes(const std::function<double(double)>& density, double end) {
  constexpr int kCells = 20000;
  std::vector<double> sums{0.0};
  for (int i = 0; i < kCells; ++i) sums.push_back(sums.back() + density((i + 0.5) * end / kCells));
  std::vector<double> points;
  for (int i = 0, cell = 0; i < kPoints; ++i) {
    const double wanted = (i + 0.5) / kPoints * sums.back();
    while (sums[static_cast<std::size_t>(cell) + 1] < wanted) ++cell;
    points.push_back((cell + 0.5) * end / kCells);
  }
  return points;
}

std::vector<std::vector<double>> distributions() {
  const auto normal = [](double x, double s) { return std::exp(-0.5 * x * x / (s * s)) / s; };
  return {magnitudes([](double) { return 1.0; }, 1.0),
          magnitudes([](double x) { return 1.0 - x; }, 1.0),
          magnitudes([&](double x) { return normal(x, 1.0); }, 6.0),
          magnitudes([](double x) { return 1.0 / std::pow(std::cosh(x / 2), 2.0); }, 20.0),
          magnitudes([](double x) { return std::exp(-x); }, 12.0),
          magnitudes([&](double x) { return 0.8 * normal(x, 1.0) + 0.2 * normal(x, 3.0); }, 15.0)};
}

double error_at(const std::vector<double>& w, double alpha, int hi) {
  const double s = alpha / hi;
  double sum = 0.0;
  for (double each : w) {
    const double y = s * std::min(std::nearbyint(each / s), static_cast<double>(hi));
    sum += (each - y) * (each - y);
  }
  return sum;
}

double best_alpha(const std::vector<double>& w, int hi) {
  const double most = w.back();
  double best = most;
  double least = error_at(w, most, hi);
  for (int i = 1; i < kTries; ++i) {
    const double alpha = most * i / kTries;
    const double error = error_at(w, alpha, hi);
    if (error < least) {
      least = error;
      best = alpha;
    }
  }
  return best;
}

}  // namespace

// With a = α/E|w| and r = √E[w²]/E|w| the fit is the line a = c1·r − c2.
SawbFit fit_sawb(int hi) {
  std::vector<std::array<double, 2>> points;
  for (const std::vector<double>& w : distributions()) {
    double mean = 0.0, square = 0.0;
    for (double each : w) {
      mean += each / kPoints;
      square += each * each / kPoints;
    }
    points.push_back({std::sqrt(square) / mean, best_alpha(w, hi) / mean});
  }
  const auto n = static_cast<double>(points.size());
  double r = 0.0, a = 0.0, rr = 0.0, ra = 0.0;
  for (const auto& [x, y] : points) {
    r += x / n;
    a += y / n;
    rr += x * x / n;
    ra += x * y / n;
  }
  SawbFit fit;
  fit.c1 = (ra - r * a) / (rr - r * r);
  fit.c2 = fit.c1 * r - a;
  for (const auto& [x, y] : points) fit.worst = std::max(fit.worst, std::abs(fit.c1 * x - fit.c2 - y) / y);
  return fit;
}

}  // namespace halftone::qat
