// One fused op of the float graph as one integer op: the rows of docs/arithmetic.md sections 6 and 7.
#pragma once

#include <limits>
#include <optional>

#include "halftone/lower/constants.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::lower {

// An op with all that its integer form depends on.
struct FusedOp {
  std::string name;  // of the layer, for messages
  ir::Op op;
  std::vector<numeric::Grid> x;     // of the inputs that are computed, in order
  Shape x_shape;                           // of the first
  std::optional<ConstantOperand> weights;  // as they stand in the graph
  std::vector<std::int32_t> codebook;      // the table that the file looks them up in; empty: none
  std::optional<ConstantOperand> bias;
  std::optional<Tensor> real_bias;  // a bias that was left in float
  std::optional<Tensor> constant;   // the other operand of a function of one variable (ir::one_variable)
  std::size_t variable = 0;         // which input x is there
  numeric::Grid y;
  float lo = -std::numeric_limits<float>::infinity();  // bounds of a fused ReLU or Clip
  float hi = std::numeric_limits<float>::infinity();
  numeric::ArithmeticSpec arithmetic;
};

// y's zero point, and the integers between which y's format and a fused ReLU or Clip keep it.
numeric::OutputBounds output_bounds(const FusedOp& fused);

// Why an op that has an integer form (integer_form.h) has none for these scales and integers, or an empty reason. Looks at
// everything but y, lo and hi.
qgraph::FloatReason why_not_integer(const FusedOp& fused);

// The integer op. Throws InputError naming the layer.
qgraph::Op lower_op(const FusedOp& fused);

// y's scale from x's, elements unchanged: a Requantize, in mode onnx a Table.
qgraph::Op make_requantize(const numeric::Grid& x, const numeric::Grid& y,
                           const numeric::ArithmeticSpec& arithmetic, std::string_view where);

}  // namespace halftone::lower
