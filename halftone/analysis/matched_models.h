// A float network and the quantized one that was made of it, layer by layer and value by value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "halftone/ir/graph.h"
#include "halftone/numeric/quant_params.h"

namespace halftone::analysis {

// A value of the float network that becomes integers in the quantized one.
struct MatchedActivation {
  std::string name;
  ir::ValueId value = ir::kNoValue;      // in the float graph
  ir::ValueId simulated = ir::kNoValue;  // in the quantized graph: what its readers see
  numeric::QuantParams params;           // one scale
  numeric::Rounding rounding = numeric::Rounding::half_even;
};

// A linear layer whose weights are integers in the quantized network.
struct MatchedLayer {
  std::string name;
  std::size_t node = 0;                 // in the float graph
  ir::ValueId computed = ir::kNoValue;  // in the quantized graph: the node's own result
  Tensor integers;                      // weights, of the float weights' shape
  numeric::QuantParams params;          // of the narrowest format that holds them
  int bits = 8;                         // of that format; 1 when all integers are −1 or +1; of a codebook's places
  bool codebook = false;                // the integers are those of a table: the nearest there, but not of all
  Tensor weights;                       // dequantized
  std::optional<Tensor> bias;           // as the quantized network adds it; of the float bias's shape
  std::optional<std::size_t> input;     // among the activations; none: it stays float
  std::optional<std::size_t> output;    // the result, or the ReLU or Clip that ends it; none: it stays float
};

struct MatchedModels {
  ir::Graph real;  // after passes::simplify
  ir::Graph quantized;
  std::vector<MatchedActivation> activations;  // in the order of the network
  std::vector<MatchedLayer> layers;            // likewise
};

// Layers go together by the name of their node, activations by the name of their value, behind which
// quant::quantize puts `name_quantized`; nodes stand in the same order. Throws InputError naming the first
// input, output, node or value that has no partner, or a partner of another shape, and the layer whose
// integers are not those of its float weights: over the weights Σ ŵ·w < ½·Σ |ŵ·w|, where rounding never
// changes a sign; and a float model that other methods have changed (ptq::kChangedKey). Throws UnsupportedError naming
// an operator on integers or a QONNX Quant.
MatchedModels match(const ir::Graph& real, const ir::Graph& quantized);

}  // namespace halftone::analysis
