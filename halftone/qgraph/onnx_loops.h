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

// y = half_even((s_a·(q_a − z_a) + s_b·(q_b − z_b))/s_y) + z_y.
void add(std::span<const std::int32_t> a, std::span<const std::int64_t> index_a,
         std::span<const std::int32_t> b, std::span<const std::int64_t> index_b, const Add& add,
         std::span<std::int32_t> y);

// y = half_even((s_a·(a[ia] − z_a))·(s_b·(b[ib] − z_b))/s_y) + z_y, in float32 in this order.
void multiply(std::span<const std::int32_t> a, std::span<const std::int64_t> index_a,
              std::span<const std::int32_t> b, std::span<const std::int64_t> index_b, const Mul& mul,
              std::span<std::int32_t> y);

}  // namespace halftone::qgraph::onnx
