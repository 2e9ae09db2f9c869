// The integer weights of a Gemm, MatMul or Conv with their bias, accumulator and requantization.
// docs/arithmetic.md sections 4 to 6.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/numeric/quant_params.h"
#include "halftone/qgraph/requantizer.h"

namespace halftone::qgraph {

// Weights [M, K] as they are stored, and how their sums become integers of the output.
struct Linear {
  std::string name;
  Tensor q_w;                                 // [M, ...] as stored: K = the product of what follows M
  numeric::QuantParams w_params;
  std::vector<std::int32_t> codebook;         // a table in which q_w are places, each in int16; empty: none
  std::int64_t channels = 0;        // M
  std::int64_t reduction = 0;       // K: products in one sum
  std::int64_t group_size = 0;      // 0: no groups
  std::vector<std::int64_t> bias;   // [M], as it is added
  std::vector<std::int64_t> bound;  // [M]: of every partial sum
  bool wide = false;                // the accumulator is int64
  // With groups: Σ_g acc_g·group_m[channel·blocks + g], then `requantizer` is a Shift.
  std::vector<std::int64_t> group_m;
  Requantizer requantizer;
};

// [M][K]: q_w − z_w, or the codebook's entries.
std::vector<std::int32_t> centred_weights(const Linear& linear);
// The weights of one channel alone, [K].
void centred_row(const Linear& linear, std::int64_t channel, std::span<std::int32_t> row);

}  // namespace halftone::qgraph
