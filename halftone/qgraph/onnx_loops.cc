#include "halftone/qgraph/onnx_loops.h"

#include <algorithm>
#include <cmath>

#include "halftone/qgraph/for_window.h"

namespace halftone::qgraph::onnx {
namespace {

std::int32_t at(const Operand& operand, std::size_t i) {
  return operand.q[static_cast<std::size_t>(operand.index[i])];
}

// The integer of a value that holds the zero point already.
std::int32_t round_into(float value, const numeric::OutputBounds& bounds) {
  const double q = numeric::round_real(value, numeric::Rounding::half_even);
  return static_cast<std::int32_t>(std::clamp<double>(q, bounds.lo, bounds.hi));
}

// p = fma(p, u, c) for every coefficient c after the first.
template <std::size_t N>
float horner(float u, const float (&coefficients)[N]) {
  float p = coefficients[0];
  for (std::size_t i = 1; i < N; ++i) p = std::fma(p, u, coefficients[i]);
  return p;
}

}  // namespace

void requantize(std::span<const std::int64_t> acc, std::int64_t inner, const Requantizer& r,
                std::span<std::int32_t> y) {
  const std::vector<float>& all = std::get<Float32>(r.scaling).M;
  for (std::size_t i = 0; i < acc.size(); ++i) {
    const float M = all[i / static_cast<std::size_t>(inner) % all.size()];
    y[i] = numeric::requantize_onnx(static_cast<std::int32_t>(acc[i]), M, r.bounds);
  }
}

void requantize_by_entry(std::span<const std::int64_t> acc, std::span<const std::int32_t> entry,
                         const Requantizer& r, std::span<std::int32_t> y) {
  const std::vector<float>& all = std::get<Float32>(r.scaling).M;
  for (std::size_t i = 0; i < acc.size(); ++i)
    y[i] = numeric::requantize_onnx(static_cast<std::int32_t>(acc[i]), all[static_cast<std::size_t>(entry[i])], r.bounds);
}

bool exchanges(const Shape& a, const Shape& b) {
  for (std::size_t back = 1; back <= std::max(a.size(), b.size()); ++back) {
    const std::int64_t of_a = back <= a.size() ? a[a.size() - back] : 1;
    const std::int64_t of_b = back <= b.size() ? b[b.size() - back] : 1;
    if (of_a != 1 || of_b != 1) return of_a == 1;
  }
  return true;
}

void add(const Operand& a, const Operand& b, float s_y, const numeric::OutputBounds& bounds,
         std::span<std::int32_t> y) {
  const float r_a = a.affine.scale / s_y;
  const float r_b = b.affine.scale / s_y;
  const float zeros =
      std::fma(r_a, static_cast<float>(a.affine.zero_point), r_b * static_cast<float>(b.affine.zero_point));
  const float rest = static_cast<float>(bounds.zero_point) - zeros;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float right = std::fma(static_cast<float>(at(b, i)), r_b, rest);
    y[i] = round_into(std::fma(static_cast<float>(at(a, i)), r_a, right), bounds);
  }
}

void subtract(const Operand& a, const Operand& b, float s_y, const numeric::OutputBounds& bounds,
              std::span<std::int32_t> y) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float left = numeric::dequantize(at(a, i), a.affine);
    const float right = numeric::dequantize(at(b, i), b.affine);
    const double q =
        numeric::round_real((left - right) / s_y, numeric::Rounding::half_even) + bounds.zero_point;
    y[i] = static_cast<std::int32_t>(std::clamp<double>(q, bounds.lo, bounds.hi));
  }
}

void multiply(const Operand& a, const Operand& b, float M, const numeric::OutputBounds& bounds,
              std::span<std::int32_t> y) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::int64_t product =
        std::int64_t{at(a, i) - a.affine.zero_point} * (at(b, i) - b.affine.zero_point);
    const float scaled = static_cast<float>(product) * M;
    y[i] = round_into(scaled + static_cast<float>(bounds.zero_point), bounds);
  }
}

bool covers_input(const AveragePool& pool) {
  return std::ranges::all_of(pool.axes, [](const ir::WindowAxis& axis) {
    return axis.kernel == axis.in && axis.pad_begin == 0 && axis.pad_end == 0;
  });
}

void average_pool(std::span<const std::int32_t> x, std::int64_t planes, const AveragePool& pool,
                  std::span<std::int32_t> y) {
  const auto& axes = pool.axes;
  const std::int64_t area = axes[0].out * axes[1].out;
  for (std::int64_t i = 0; i < planes * area; ++i) {
    const std::int32_t* plane = x.data() + i / area * axes[0].in * axes[1].in;
    const std::int64_t oh = i % area / axes[1].out;
    const std::int64_t ow = i % axes[1].out;
    float sum = 0.0F;
    for_window(axes, oh, ow, [&](std::int64_t k) { sum += numeric::dequantize(plane[k], pool.x); });
    const std::int64_t count = ir::window_count(axes[0], oh, pool.count_include_pad) *
                               ir::window_count(axes[1], ow, pool.count_include_pad);
    const float mean = sum / static_cast<float>(count);
    y[static_cast<std::size_t>(i)] =
        round_into(mean / pool.y.scale + static_cast<float>(pool.y.zero_point), pool.requantizer.bounds);
  }
}

float sigmoid(float x) {
  constexpr float kOver[] = {4.37031012579801e-11F, 1.15627324459942e-7F, 6.08574864600143e-5F,
                             8.51377133304701e-3F, 2.48287947061529e-1F};
  constexpr float kUnder[] = {6.10247389755681e-13F, 5.76102136993427e-9F, 6.29106785017040e-6F,
                              1.70198817374094e-3F,  1.16817656904453e-1F, 9.93151921023180e-1F};
  x = std::clamp(x, -18.0F, 18.0F);
  const float p = horner(x * x, kOver) * x;
  return std::max(p / horner(x * x, kUnder) + 0.5F, 0.0F);
}

}  // namespace halftone::qgraph::onnx
