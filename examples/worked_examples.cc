// The worked examples of quantization, by the functions that quantize networks. Its output stands in
// docs/worked_examples.md.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <vector>

#include "halftone/numeric/multiplier.h"
#include "halftone/numeric/quant_params.h"
#include "halftone/numeric/requantize.h"
#include "halftone/calibration/observer.h"

namespace {

using namespace halftone;
using numeric::IntegerFormat;
using numeric::Scheme;

std::vector<std::int32_t> quantize_all(const std::vector<float>& reals, const numeric::Affine& affine,
                                       const IntegerFormat& format) {
  std::vector<std::int32_t> q;
  for (float r : reals) q.push_back(numeric::quantize(r, affine, format));
  return q;
}

std::int64_t dot(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::int64_t{a[i]} * b[i];
  return sum;
}

void slope_and_bias() {
  fmt::print("Slope and bias: r = s*q + b, codes of 3 bits\n");
  struct Row {
    double slope, bias;
  };
  for (const auto& [slope, bias] : std::array<Row, 4>{{{1, 0}, {0.25, 0}, {4, 0}, {1.5, 10}}}) {
    std::vector<double> reals;
    for (int q = 0; q < 8; ++q) reals.push_back(slope * q + bias);
    fmt::print("  s = {:<4} b = {:<2}  {}\n", slope, bias, fmt::join(reals, " "));
  }
}

double to_digits(double x, int digits) {
  if (x == 0.0) return 0.0;
  const double unit = std::pow(10.0, std::floor(std::log10(std::fabs(x))) + 1 - digits);
  return std::nearbyint(x / unit) * unit;
}

void cancellation() {
  fmt::print("\nCatastrophic cancellation: sums that are rounded on the way\n");
  const double sum = to_digits(5.1 + 5.2, 2);
  fmt::print("  2 digits: 5.1 + 5.2 = {}, and their mean {:.1f} is less than both\n", sum, to_digits(sum / 2, 2));
  const double first = to_digits(to_digits(11111113.0 - 11111111.0, 8) + 7.5111111, 8);
  const double second = to_digits(11111113.0 + to_digits(-11111111.0 + 7.5111111, 8), 8);
  fmt::print("  8 digits: (11111113 - 11111111) + 7.5111111 = {:.7f}\n", first);
  fmt::print("            11111113 + (-11111111 + 7.5111111) = {:.7f}\n", second);
  const float large = 16777216.0F;
  fmt::print("  float32:  (2^24 + 1) - 2^24 = {}, but (2^24 - 2^24) + 1 = {}\n", (large + 1.0F) - large,
             (large - large) + 1.0F);
  fmt::print("  integers: (2^24 + 1) - 2^24 = {}, in any order\n", (16777216 + 1) - 16777216);
}

void bias_of_the_full_range() {
  fmt::print("\nQuantization bias: A = [-2.2 -1.1 1.1 2.2], B = [0.5 0.3 0.3 0.5], A*B = 0\n");
  const std::vector<float> a{-2.2F, -1.1F, 1.1F, 2.2F};
  const std::vector<float> b{0.5F, 0.3F, 0.3F, 0.5F};
  for (bool narrow : {false, true}) {
    const IntegerFormat format{8, true, narrow};
    const auto s_a = numeric::affine_from_range({-2.2F, 2.2F}, format, Scheme::symmetric);
    const auto s_b = numeric::affine_from_range({-0.5F, 0.5F}, format, Scheme::symmetric);
    const auto q_a = quantize_all(a, s_a, format);
    const auto q_b = quantize_all(b, s_b, format);
    const std::int64_t sum = dot(q_a, q_b);
    fmt::print("  [{}, {}]: {} * {} = {}, which is {:.5f}\n", format.qmin(), format.qmax(), q_a, q_b, sum,
               static_cast<double>(sum) * s_a.scale * s_b.scale);
  }
}

void matrix_product() {
  fmt::print("\nMatrix product: [[-1.54 0.22] [-0.26 0.65]] * [0.35 -0.51] = [-0.6512 -0.4225]\n");
  const IntegerFormat format{8, true, true};
  const auto s_a = numeric::affine_from_range({-2, 2}, format, Scheme::symmetric);
  const auto s_b = numeric::affine_from_range({-1, 1}, format, Scheme::symmetric);
  const auto s_y = numeric::affine_from_range({-3, 3}, format, Scheme::symmetric);
  const auto b = quantize_all({0.35F, -0.51F}, s_b, format);
  const auto multiplier = numeric::multiplier_from(numeric::real_multiplier(s_a.scale, s_b.scale, s_y.scale), 32);
  fmt::print("  ranges [-2, 2] and [-1, 1]; requantized to [-3, 3] by m = {} and a shift of {}\n", multiplier.m,
             multiplier.shift());
  for (const std::vector<float>& row : {std::vector{-1.54F, 0.22F}, {-0.26F, 0.65F}}) {
    const auto a = quantize_all(row, s_a, format);
    const std::int64_t sum = dot(a, b);
    const std::int32_t y = numeric::requantize_fixed(sum, multiplier.m, multiplier.shift(), {0, -127, 127},
                                                     numeric::Rounding::half_even);
    fmt::print("  {} * {} = {}: {:.3f}; requantized {}: {:.3f}\n", a, b, sum,
               static_cast<double>(sum) * s_a.scale * s_b.scale, y, numeric::dequantize(y, s_y));
  }
}

// Values at even steps of a distribution's quantiles.
calibration::Statistics values_of(double (*quantile)(double)) {
  constexpr int kCount = 100000;
  std::vector<float> values;
  for (int i = 0; i < kCount; ++i) values.push_back(static_cast<float>(quantile((i + 0.5) / kCount)));
  calibration::Statistics seen;
  seen.observe(0, values, static_cast<std::int64_t>(values.size()));
  return seen;
}

void thresholds() {
  fmt::print("\nThresholds for 8 bits: the least Kullback-Leibler divergence, and the least squared error\n");
  struct Row {
    const char* name;
    double (*quantile)(double);
  };
  const std::array<Row, 2> rows{{
      {"smooth: even from 0 to 6", [](double u) { return 6.0 * u; }},
      {"spiky: most below 3, a few up to 60",
       [](double u) { return u < 0.9999 ? -0.3 * std::log(1.0 - u) : 60.0 * u; }},
  }};
  const calibration::Target target{{8, true, true}, Scheme::symmetric};
  for (const auto& [name, quantile] : rows) {
    const calibration::Statistics seen = values_of(quantile);
    fmt::print("  {:<36} largest {:5.2f}, kl {:5.2f}, mse {:5.2f}\n", name, calibration::min_max(seen, target, 0).hi,
               calibration::kl_divergence(seen, target, 0).hi, calibration::mean_squared_error(seen, target, 0).hi);
  }
}

}  // namespace

int main() {
  slope_and_bias();
  cancellation();
  bias_of_the_full_range();
  matrix_product();
  thresholds();
}
