// The cost of a linear layer in integers, by the bits of its weights and of its inputs.
#pragma once

#include <string>
#include <vector>

#include "halftone/base/named.h"
#include "halftone/quant/assignment.h"

namespace halftone::analysis {

enum class Budget { bytes, bit_operations, energy };

inline constexpr Named<Budget> kBudgetNames[] = {
    {Budget::bytes, "bytes"}, {Budget::bit_operations, "bitops"}, {Budget::energy, "energy"}};

// One layer's work for one sample (a batch that is open counts as 1).
struct LayerWork {
  std::int64_t weights = 0;
  std::int64_t biases = 0;
  int bias_bits = 32;
  std::int64_t scales = 0;  // of its weights
  std::int64_t inputs = 0;  // elements it reads
  std::int64_t multiply_adds = 0;
  bool operator==(const LayerWork&) const = default;
};

// The cost of a linear node with constant weights.
LayerWork work_of(const ir::Graph& graph, const ir::Node& node, const quant::WeightRecipe& weights);

// bytes: weights packed to their bits, whole bytes a layer, and of its biases, 4 bytes a weight scale. (ONNX has no
// integers of 3, 5, 6 or 7 bits: a file holds them in 4 and 8.) bit_operations: multiply-adds·b_w·b_a.
// energy, pJ (numeric/energy.h): each multiply-add a product and an addition of 32 bits; the weights' and biases' bits once from
// DRAM, the inputs' bits once from an SRAM of 8 kB. Values held in registers count nothing.
double cost_of(Budget budget, const LayerWork& work, int weight_bits, int input_bits);

}  // namespace halftone::analysis
