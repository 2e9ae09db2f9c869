#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/ir/moves.h"
#include "halftone/lower/integer_form.h"
#include "halftone/lower/make_linear.h"
#include "halftone/lower/qoperators.h"

namespace halftone::lower {
namespace {

// Integers with scale and zero point, as an operator on integers takes them.
struct Triple {
  ir::ValueId q = ir::kNoValue;
  ir::ValueId scale = ir::kNoValue;
  ir::ValueId zero_point = ir::kNoValue;
};

// The value that a Quantize rounds: the result of a node, within bounds.
struct Computed {
  int node = -1;
  ir::Clip bounds;
};

// One Clip behind another, as one.
ir::Clip followed_by(const ir::Clip& first, const ir::Clip& second) {
  return {std::min(std::max(first.lo, second.lo), second.hi),
          std::min(std::max(first.hi, second.lo), second.hi)};
}

class OperatorWriter {
 public:
  explicit OperatorWriter(const ir::Graph& graph)
      : graph_(graph),
        producers_(ir::producers(graph)),
        uses_(ir::use_counts(graph)),
        rounding_(numeric::read_arithmetic(graph.metadata).rounding) {}

  ir::Graph run() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n)
      if (std::holds_alternative<ir::QuantizeLinear>(graph_.nodes[n].op)) contract(n);
    return ir::without_dead_nodes(graph_);
  }

 private:
  const ir::Node* producer(ir::ValueId id) const {
    const int n = id == ir::kNoValue ? -1 : producers_[static_cast<std::size_t>(id)];
    return n < 0 ? nullptr : &graph_.nodes[static_cast<std::size_t>(n)];
  }

  // The integers that a Dequantize makes real, or nothing.
  std::optional<Triple> triple_of(ir::ValueId id) {
    const ir::Node* node = producer(id);
    if (node == nullptr || !std::holds_alternative<ir::DequantizeLinear>(node->op)) return std::nullopt;
    Triple result{node->inputs[0], node->inputs[1], node->inputs.size() > 2 ? node->inputs[2] : ir::kNoValue};
    const ir::Value& q = graph_.value(result.q);
    if (q.dtype == DType::int32) return result;
    if (q.dtype != DType::int8 && q.dtype != DType::uint8)
      throw UnsupportedError(
          ir::describe(graph_, *node),
          fmt::format("{} in an operator on integers, expected int8 or uint8", name_of(q.dtype)), Remedy::write_pairs);
    if (result.zero_point == ir::kNoValue)
      result.zero_point = graph_.add_constant(graph_.value(id).name + "_zero",
                                              Tensor(q.dtype, graph_.value(result.scale).shape));
    return result;
  }

  Triple end_of(const ir::Node& quantize) {
    Triple y{quantize.outputs[0], quantize.inputs[1],
             quantize.inputs.size() > 2 ? quantize.inputs[2] : ir::kNoValue};
    if (y.zero_point == ir::kNoValue)
      y.zero_point = graph_.add_constant(graph_.value(y.q).name + "_zero", Tensor(DType::uint8, {}));
    return y;
  }

  // The node before a Quantize, over the ReLUs and Clips that bound it.
  Computed computed_by(const ir::Node& quantize) const {
    Computed result{.node = producers_[static_cast<std::size_t>(quantize.inputs[0])]};
    while (result.node >= 0) {
      const ir::Node& node = graph_.nodes[static_cast<std::size_t>(result.node)];
      const auto* clip = std::get_if<ir::Clip>(&node.op);
      if ((clip == nullptr && !std::holds_alternative<ir::Relu>(node.op)) ||
          uses_[static_cast<std::size_t>(node.outputs[0])] != 1)
        break;
      const int before = producers_[static_cast<std::size_t>(node.inputs[0])];
      if (before < 0 || !is_bounded_by_clips(graph_.nodes[static_cast<std::size_t>(before)].op)) break;
      result.bounds = followed_by(clip != nullptr ? *clip : ir::Clip{.lo = 0.0F}, result.bounds);
      result.node = before;
    }
    return result;
  }

  static bool is_bounded_by_clips(const ir::Op& op) {
    return takes_bounds(op) || std::holds_alternative<ir::Relu>(op) || std::holds_alternative<ir::Clip>(op);
  }

  // The bounds as integers of y, or nothing where y's own range ends the result.
  std::optional<ir::Clip> integer_clip(const ir::Clip& bounds, const numeric::Grid& y) const {
    std::int32_t lo = y.format.qmin();
    std::int32_t hi = y.format.qmax();
    fold_clip(bounds.lo, bounds.hi, y, lo, hi, rounding_);
    if (lo == y.format.qmin() && hi == y.format.qmax()) return std::nullopt;
    return ir::Clip{.lo = static_cast<float>(lo), .hi = static_cast<float>(hi)};
  }

  void check_weights(const ir::Node& node, const Triple& w) {
    const Tensor* zero = graph_.constant(w.zero_point);
    if (zero == nullptr) return;
    const auto zeros = numeric::to_int32(*zero);
    if (std::ranges::any_of(zeros, [&](std::int32_t z) { return z != zeros.front(); }))
      throw UnsupportedError(
          ir::describe(graph_, node),
          "zero points of its weights differ between channels, which an operator on integers cannot hold",
          Remedy::symmetric_weights);
  }

  void contract(std::size_t n) {
    const ir::Node quantize = graph_.nodes[n];
    const auto& quantizer = std::get<ir::QuantizeLinear>(quantize.op);
    if (quantizer.bits != 0)
      throw UnsupportedError(ir::describe(graph_, quantize),
                             fmt::format("{} bits in an operator on integers, expected 8", quantizer.bits), Remedy::write_pairs);
    const Computed computed = computed_by(quantize);
    if (computed.node < 0) return;
    ir::Node& found = graph_.nodes[static_cast<std::size_t>(computed.node)];
    const ir::Node node = found;
    if (uses_[static_cast<std::size_t>(node.outputs[0])] != 1) return;
    std::vector<Triple> operands;
    for (ir::ValueId id : node.inputs) {
      const auto triple = id == ir::kNoValue || graph_.constant(id) != nullptr ? std::nullopt : triple_of(id);
      if (triple) operands.push_back(*triple);
      const bool places = graph_.constant(id) != nullptr && ir::only_moves(node.op);
      if (!triple && !places) return;
    }
    const Triple y = end_of(quantize);
    const Tensor* scale = graph_.constant(y.scale);
    const Tensor* zero = graph_.constant(y.zero_point);
    if (scale == nullptr || zero == nullptr || scale->size() != 1) return;
    ir::Node made{node.name, node.op, {}, {y.q}};
    if (!std::visit([&](const auto& op) { return write(op, node, operands, y, made); }, node.op)) return;
    const ir::Value q = graph_.value(y.q);
    const std::optional<ir::Clip> clip =
        integer_clip(computed.bounds,
                     ir::linear_params(quantizer, *scale, zero, q.dtype, q.shape, ir::describe(graph_, quantize)).grid());
    if (!clip) {
      graph_.nodes[n] = made;
      return;
    }
    made.outputs = {graph_.add_value(q.name + "_unclipped", q.dtype, q.shape)};
    graph_.nodes[n] = {quantize.name, *clip, made.outputs, {y.q}};
    found = made;
  }

  static void append(const Triple& triple, ir::Node& made) {
    made.inputs.insert(made.inputs.end(), {triple.q, triple.scale, triple.zero_point});
  }

  bool write_linear(ir::Op op, const ir::Node& node, const std::vector<Triple>& operands, const Triple& y,
                    bool bias_last, ir::Node& made) {
    check_weights(node, operands[1]);
    made.op = std::move(op);
    append(operands[0], made);
    append(operands[1], made);
    const ir::ValueId bias = operands.size() > 2 ? operands[2].q : ir::kNoValue;
    if (bias != ir::kNoValue && graph_.value(bias).dtype != DType::int32)
      throw UnsupportedError(ir::describe(graph_, node),
                             fmt::format("a bias of type {} in an operator on integers, expected int32",
                                         name_of(graph_.value(bias).dtype)),
                             Remedy::write_pairs);
    if (!bias_last) made.inputs.push_back(bias);
    made.inputs.insert(made.inputs.end(), {y.scale, y.zero_point});
    if (bias_last && bias != ir::kNoValue) made.inputs.push_back(bias);
    return true;
  }

  template <typename Op>
  bool write(const Op& op, const ir::Node& node, const std::vector<Triple>& operands, const Triple& y,
             ir::Node& made) {
    if constexpr (std::is_same_v<Op, ir::Conv>) {
      return write_linear(ir::QLinearConv{op}, node, operands, y, true, made);
    } else if constexpr (std::is_same_v<Op, ir::Gemm>) {
      return write_linear(ir::QGemm{op}, node, operands, y, false, made);
    } else if constexpr (std::is_same_v<Op, ir::MatMul>) {
      return operands.size() == 2 && write_linear(ir::QLinearMatMul{}, node, operands, y, true, made);
    } else if constexpr (std::is_same_v<Op, ir::Add>) {
      return operands.size() == 2 && write_quantized(ir::QLinearAdd{op}, operands, y, made);
    } else if constexpr (std::is_same_v<Op, ir::Mul>) {
      return operands.size() == 2 && write_quantized(ir::QLinearMul{op}, operands, y, made);
    } else if constexpr (std::is_same_v<Op, ir::AveragePool>) {
      // ONNX Runtime's divides by the whole kernel where a last window reaches beyond the padding.
      const bool beyond = op.window.ceil_mode && op.count_include_pad;
      return !beyond && write_quantized(ir::QLinearAveragePool{op}, operands, y, made);
    } else if constexpr (std::is_same_v<Op, ir::GlobalAveragePool>) {
      return write_quantized(ir::QLinearGlobalAveragePool{op}, operands, y, made);
    } else if constexpr (std::is_same_v<Op, ir::Concat>) {
      return write_quantized(ir::QLinearConcat{op}, operands, y, made);
    } else if constexpr (std::is_same_v<Op, ir::Sigmoid>) {
      return write_quantized(ir::QLinearSigmoid{op}, operands, y, made);
    } else if constexpr (std::is_same_v<Op, ir::LeakyRelu>) {
      return write_quantized(ir::QLinearLeakyRelu{op}, operands, y, made);
    } else {
      const bool moves =
          ir::only_moves(node.op) || std::is_same_v<Op, ir::MaxPool> || std::is_same_v<Op, ir::Pad>;
      return moves && write_move(node, operands, y, made);
    }
  }

  template <ir::QuantizedOp Op>
  bool write_quantized(const Op& op, const std::vector<Triple>& operands, const Triple& y, ir::Node& made) {
    made.op = op;
    const bool y_first = std::is_same_v<Op, ir::QLinearConcat>;
    if (y_first) made.inputs.insert(made.inputs.end(), {y.scale, y.zero_point});
    for (const Triple& operand : operands) append(operand, made);
    if (!y_first) made.inputs.insert(made.inputs.end(), {y.scale, y.zero_point});
    return true;
  }

  bool equal(ir::ValueId a, ir::ValueId b) const {
    const Tensor* x = graph_.constant(a);
    const Tensor* y = graph_.constant(b);
    return a == b || (x != nullptr && y != nullptr && *x == *y);
  }

  // Elements in other places, the integers themselves when the scale stays.
  bool write_move(const ir::Node& node, const std::vector<Triple>& operands, const Triple& y,
                  ir::Node& made) {
    if (operands.size() != 1 || !equal(operands[0].scale, y.scale) ||
        !equal(operands[0].zero_point, y.zero_point))
      return false;
    if (auto* pad = std::get_if<ir::Pad>(&made.op)) {
      const Tensor* zero = graph_.constant(y.zero_point);
      if (pad->value != 0.0 || zero == nullptr) return false;
      pad->value = numeric::to_int32(*zero)[0];
    }
    made.inputs = node.inputs;
    made.inputs[0] = operands[0].q;
    return true;
  }

  ir::Graph graph_;
  std::vector<int> producers_;
  std::vector<int> uses_;
  numeric::Rounding rounding_;
};

}  // namespace

ir::Graph with_integer_operators(const ir::Graph& graph) { return OperatorWriter(graph).run(); }

}  // namespace halftone::lower
