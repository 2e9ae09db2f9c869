// The plain loops that compute with integers alone: no function here holds a floating-point instruction
// (a test disassembles them). Values are int32, sums int64 or, where the layer's bound allows, int32.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::qgraph::integer {

// acc[n][m] = Σ_k (x[n][k] − z_x)·w[m][k] + bias[m] (with groups: Σ_g acc_g·m_g + bias). w are the layer's centred weights.
void gemm(std::span<const std::int32_t> x, std::int32_t x_zero_point, const Linear& linear, std::span<const std::int32_t> w,
          std::span<std::int64_t> acc);

// acc[n][m][oh][ow] likewise over windows. x is [batch, depth·groups, axes[0].in, axes[1].in], those
// divided by `spread` and rounded up.
void conv(std::span<const std::int32_t> x, std::int64_t batch, const Conv& conv, std::span<const std::int32_t> w,
          std::span<std::int64_t> acc);

// Largest element of every window of `planes` planes.
void max_pool(std::span<const std::int32_t> x, std::int64_t planes, const ir::PlaneAxes& axes,
              std::span<std::int32_t> y);

// acc = Σ window (x − z_x); entry[o] = which of the pool's counts its window has.
void average_pool(std::span<const std::int32_t> x, std::int64_t planes, const AveragePool& pool,
                  std::span<std::int64_t> acc, std::span<std::int32_t> entry);

// acc[i] = m_a·(a[ia] − z_a) + m_b·(b[ib] − z_b).
void add(std::span<const std::int32_t> a, std::span<const std::int64_t> index_a,
         std::span<const std::int32_t> b, std::span<const std::int64_t> index_b, const Add& add,
         std::span<std::int64_t> acc);

// acc[i] = (a[ia] − z_a)·(b[ib] − z_b).
void multiply(std::span<const std::int32_t> a, std::span<const std::int64_t> index_a,
              std::span<const std::int32_t> b, std::span<const std::int64_t> index_b, const Mul& mul,
              std::span<std::int64_t> acc);

// y[i] from x[i] with the table of channel (i / inner) % channels.
void table(std::span<const std::int32_t> x, std::int64_t inner, const Table& table,
           std::span<std::int32_t> y);

// Modes fixed and shift: y[i] from acc[i] with the requantizer's entry (i / inner) % entries.
void requantize(std::span<const std::int64_t> acc, std::int64_t inner, const Requantizer& requantizer,
                std::span<std::int32_t> y);
// The same with the entry of each element given.
void requantize_by_entry(std::span<const std::int64_t> acc, std::span<const std::int32_t> entry,
                         const Requantizer& requantizer, std::span<std::int32_t> y);

}  // namespace halftone::qgraph::integer
