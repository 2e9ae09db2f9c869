// The real factors between a node's sums and its output, and the integers that stand for them. docs/arithmetic.md sections 6 and 7.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "halftone/qgraph/quantized_graph.h"

namespace halftone::qgraph {

// y = round_shift(acc·m, shift), M = M0·2^−n ≈ m·2^−shift. A list has one entry for all, or one for each index of `by`.
struct Multipliers {
  std::string_view by;          // "tensor", "channel", "group" (of each channel), "operand" (of a sum) or "count" (of a mean's elements)
  int bits = 0;                 // B, that m really has: shift = B − 1 + n, but where m = 2^(B−1) was made m/2; 0: mode shift or onnx
  std::vector<double> M;        // s_x·s_w/s_y; s_x/s_y; s_a·s_b/s_y; s_x/(s_y·count). Negative of what is subtracted
  std::vector<double> M0;       // in [0.5, 1), but of terms of one sum, which share the n of the largest; mode fixed alone
  std::vector<int> n;           // likewise; of groups, one a channel
  std::vector<std::int64_t> m;  // empty in mode onnx, and in mode shift but of terms of one sum and of means
  std::vector<int> shift;       // empty in mode onnx; of groups and operands, those of their sum
};

// Nothing for a node that multiplies by none.
std::optional<Multipliers> multipliers_of(const QuantizedGraph& graph, const Node& node);

}  // namespace halftone::qgraph
