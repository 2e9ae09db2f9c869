#include "halftone/qgraph/onnx_loops.h"

#include <algorithm>

namespace halftone::qgraph::onnx {

void requantize(std::span<const std::int64_t> acc, std::int64_t inner, const Requantizer& r,
                std::span<std::int32_t> y) {
  for (std::size_t i = 0; i < acc.size(); ++i) {
    const float M = r.real[i / static_cast<std::size_t>(inner) % r.real.size()];
    y[i] = numeric::requantize_onnx(static_cast<std::int32_t>(acc[i]), M, r.bounds);
  }
}

void requantize_by_entry(std::span<const std::int64_t> acc, std::span<const std::int32_t> entry,
                         const Requantizer& r, std::span<std::int32_t> y) {
  for (std::size_t i = 0; i < acc.size(); ++i)
    y[i] = numeric::requantize_onnx(static_cast<std::int32_t>(acc[i]),
                                    r.real[static_cast<std::size_t>(entry[i])], r.bounds);
}

void add(std::span<const std::int32_t> a, std::span<const std::int64_t> index_a,
         std::span<const std::int32_t> b, std::span<const std::int64_t> index_b, const Add& add,
         std::span<std::int32_t> y) {
  const numeric::OutputBounds& bounds = add.requantizer.bounds;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float left = numeric::dequantize(a[static_cast<std::size_t>(index_a[i])], add.a);
    const float right = numeric::dequantize(b[static_cast<std::size_t>(index_b[i])], add.b);
    const float ratio = (add.subtract ? left - right : left + right) / add.y.scale;
    const double q = numeric::round_real(ratio, numeric::Rounding::half_even) + bounds.zero_point;
    y[i] = static_cast<std::int32_t>(std::clamp<double>(q, bounds.lo, bounds.hi));
  }
}

void multiply(std::span<const std::int32_t> a, std::span<const std::int64_t> index_a,
              std::span<const std::int32_t> b, std::span<const std::int64_t> index_b, const Mul& mul,
              std::span<std::int32_t> y) {
  const numeric::OutputBounds& bounds = mul.requantizer.bounds;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const float left = numeric::dequantize(a[static_cast<std::size_t>(index_a[i])], mul.a);
    const float right = numeric::dequantize(b[static_cast<std::size_t>(index_b[i])], mul.b);
    const float ratio = left * right / mul.y.scale;
    const double q = numeric::round_real(ratio, numeric::Rounding::half_even) + bounds.zero_point;
    y[i] = static_cast<std::int32_t>(std::clamp<double>(q, bounds.lo, bounds.hi));
  }
}

}  // namespace halftone::qgraph::onnx
