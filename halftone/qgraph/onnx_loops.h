// The float32 steps of arithmetic `onnx`. docs/arithmetic.md sections 6 and 7.
#pragma once

#include <cstdint>
#include <span>

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::qgraph::onnx {

// y[i] from acc[i] with the requantizer's entry (i / inner) % entries.
void requantize(std::span<const std::int64_t> acc, std::int64_t inner, const Requantizer& requantizer,
                std::span<std::int32_t> y);
void requantize_by_entry(std::span<const std::int64_t> acc, std::span<const std::int32_t> entry,
                         const Requantizer& requantizer, std::span<std::int32_t> y);

// An operand read with broadcasting: element i of the result takes q[index[i]].
struct Operand {
  std::span<const std::int32_t> q;
  std::span<const std::int64_t> index;
  numeric::Affine affine;
};

// Whether Add exchanges its operands: when in the innermost dimension in which the shapes, aligned at the
// end, are not both 1 a's is 1, and when there is none.
bool exchanges(const Shape& a, const Shape& b);

// y = half_even(fma(q_a, r_a, fma(q_b, r_b, z_y − fma(r_a, z_a, r_b·z_b)))), r_i = s_i/s_y.
void add(const Operand& a, const Operand& b, float s_y, const numeric::OutputBounds& bounds,
         std::span<std::int32_t> y);

// y = half_even((s_a·(q_a − z_a) − s_b·(q_b − z_b))/s_y) + z_y.
void subtract(const Operand& a, const Operand& b, float s_y, const numeric::OutputBounds& bounds,
              std::span<std::int32_t> y);

// y = half_even(float((q_a − z_a)·(q_b − z_b))·M + z_y).
void multiply(const Operand& a, const Operand& b, float M, const numeric::OutputBounds& bounds,
              std::span<std::int32_t> y);

// Whether the pool's one window is its input, without padding: its mean is then a requantized sum.
bool covers_input(const AveragePool& pool);

// y = half_even(v/s_y + z_y), v = (Σ s_x·(q − z_x), row by row)/count, for `planes` planes.
void average_pool(std::span<const std::int32_t> x, std::int64_t planes, const AveragePool& pool,
                  std::span<std::int32_t> y);

// The logistic function as a rational of degree 9 over 10, |x| held within 18.
float sigmoid(float x);

}  // namespace halftone::qgraph::onnx
