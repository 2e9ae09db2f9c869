// The walk over a float graph with Quantize/Dequantize pairs that makes a network in integers of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "halftone/lower/constants.h"
#include "halftone/lower/fused_op.h"
#include "halftone/lower/integer_form.h"
#include "halftone/lower/moves.h"
#include "halftone/qgraph/quantized_graph.h"

namespace halftone::lower {

// A fused op that waits for the Quantize at its end.
struct Pending {
  FusedOp fused;
  std::vector<qgraph::ValueId> inputs;
  ir::ValueId computed = ir::kNoValue;
};

template <typename T>
const T* as(const ir::Node& node) {
  return std::get_if<T>(&node.op);
}

class Lowering {
 public:
  explicit Lowering(ir::Graph graph);
  qgraph::QuantizedGraph run();

 private:
  std::optional<qgraph::ValueId>& integer_of(ir::ValueId id) { return integer_[static_cast<std::size_t>(id)]; }
  std::optional<qgraph::ValueId>& float_of(ir::ValueId id) { return float_[static_cast<std::size_t>(id)]; }
  const numeric::Grid& grid_of(qgraph::ValueId id) const { return *out_.value(id).grid; }

  // lower.cc: values, conversions, order.

  // The name a value has in the file, or, when another form of it took that already, one like it.
  std::string unique(const std::string& name);
  // A name that no value of the file has.
  std::string invented(std::string name);
  qgraph::ValueId add_value(const std::string& name, const Shape& shape, DType dtype,
                    std::optional<numeric::Grid> grid);
  qgraph::ValueId add_node(const std::string& name, qgraph::Op op, std::vector<qgraph::ValueId> inputs, qgraph::ValueId output);
  void add_input(ir::ValueId id);
  qgraph::ValueId output_value(ir::ValueId id);
  // A value in float for an island or an output, dequantized where need be.
  qgraph::ValueId float_value(ir::ValueId id);
  void visit(const ir::Node& node);
  // Values that are quantized, or come of integers, are float32: the arithmetic knows no other reals.
  void expect_float32(const ir::Node& node, ir::ValueId real) const;
  void visit_quantize(const ir::Node& node);
  // Quantizing what is already on that grid changes nothing: the value takes the name, or is copied under it.
  qgraph::ValueId alias(qgraph::ValueId id, const ir::Value& output);
  void visit_dequantize(const ir::Node& node);

  // lower_moves.cc: ops that only move or choose among elements.

  // Moved integers have the file's name where they are integers there, and else one of ours until a Quantize
  // names them.
  qgraph::ValueId add_moved(const ir::Value& output, DType dtype, const numeric::Grid& grid);
  // Whether the node works on the integers themselves, which it then does.
  bool try_move(const ir::Node& node);
  // A result with two open dimensions has a shape only where each of them is one of the input's. Places that all moves list
  // have a bound together.
  bool fits(const qgraph::Move& move, const Shape& y);
  // 0 is an integer at every scale. Another constant is one of the result's scale, which may reach further
  // than x's: where they differ the Pad stays float.
  std::optional<qgraph::Op> pad_of(const ir::Node& node, const ir::Pad& pad, qgraph::ValueId x) const;
  // A Clip of the integers themselves: a table of them, at their scale.
  bool try_clip(const ir::Node& node);
  // Joins integers of one scale, or chooses the least or largest of them; inputs of another scale are first
  // brought to that of the Quantize behind.
  bool try_join(const ir::Node& node);
  static qgraph::Op integer_join(const ir::Node& node, std::size_t rank);
  // The scale and zero point of the Quantize that alone reads a value.
  std::optional<numeric::Grid> grid_behind(ir::ValueId id) const;
  qgraph::ValueId rescaled(qgraph::ValueId x, const numeric::Grid& grid, DType dtype);

  // lower_fused.cc: ops that end with a rounding to the integers of a Quantize.

  const ir::Node* producer(ir::ValueId id) const;
  std::optional<ConstantOperand> constant_operand(ir::ValueId id) const;
  // The table that the integers of these weights are looked up in by a Gather; empty where there is none.
  std::vector<std::int32_t> codebook_of(ir::ValueId weights) const;
  // The floats of a constant, given as such or as integers.
  std::optional<Tensor> real_constant(ir::ValueId id) const;
  // Follows the only reader from `id` to a Quantize, over ReLU and Clip when the op takes bounds; absorbs
  // those.
  bool absorb_to_quantize(ir::ValueId id, FusedOp& fused, ir::ValueId& end);
  IntegerForm form_of(const ir::Node& node, const FusedOp& fused) const;
  // Why a node that only moves or joins elements was not taken for one, `quantized` of its operands having scales.
  qgraph::FloatReason why_not_moved(const ir::Node& node, std::size_t quantized) const;
  // Why the node cannot become an integer node, or nothing when it now waits for its Quantize.
  qgraph::FloatReason try_fuse(const ir::Node& node);
  void note_rounded_bias(const Pending& pending, const qgraph::Op& op);

  // lower_islands.cc: nodes that stay float.

  // Values of an island's graph: by the file's value, and by the network's.
  struct Operands {
    std::map<ir::ValueId, ir::ValueId> constants;
    std::map<qgraph::ValueId, ir::ValueId> inputs;
  };
  // An operand of an island: floats, or integers that have no scale.
  qgraph::ValueId operand_of(ir::ValueId id);
  // One node alone; join_islands makes larger ones of them.
  void add_island(const ir::Node& node, const qgraph::FloatReason& reason);
  // An operand of an island: a constant of its graph, or one of its inputs. Each stands there once, under its name.
  ir::ValueId add_operand(ir::ValueId id, ir::Graph& island, std::vector<qgraph::ValueId>& inputs, Operands& known);

  std::int64_t places_left_ = kMostPlaces;
  ir::Graph in_;
  std::vector<int> producers_;
  std::vector<std::vector<int>> consumers_;
  std::vector<int> uses_;
  qgraph::QuantizedGraph out_;
  std::vector<std::optional<qgraph::ValueId>> integer_;  // by ir value: the integers whose dequantized form it is
  std::vector<std::optional<qgraph::ValueId>> float_;    // by ir value: the same value in float
  std::vector<bool> absorbed_;                           // nodes that became part of another
  std::map<ir::ValueId, Pending> pending_;               // by the float value its Quantize will read
  std::unordered_set<qgraph::ValueId> views_;            // moved integers that no Quantize has named yet
  std::unordered_set<std::string> names_;
};

}  // namespace halftone::lower
