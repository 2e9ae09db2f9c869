#include "halftone/lower/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

#include "halftone/base/error.h"
#include "halftone/ir/moves.h"
#include "halftone/ir/one_variable.h"
#include "halftone/lower/constants.h"
#include "halftone/lower/join_islands.h"
#include "halftone/lower/linear.h"
#include "halftone/lower/moves.h"
#include "halftone/lower/fused_op.h"
#include "halftone/lower/qoperators.h"

namespace halftone::lower {
namespace {

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
  explicit Lowering(ir::Graph graph)
      : in_(std::move(graph)), producers_(ir::producers(in_)), consumers_(ir::consumers(in_)) {
    uses_ = ir::use_counts(in_);
    integer_.resize(in_.values.size());
    float_.resize(in_.values.size());
    absorbed_.resize(in_.nodes.size());
    out_.name = in_.name;
    out_.arithmetic = numeric::read_arithmetic(in_.metadata);
  }

  qgraph::QuantizedGraph run() {
    for (ir::ValueId id : in_.inputs) add_input(id);
    for (std::size_t n = 0; n < in_.nodes.size(); ++n)
      if (!absorbed_[n] && in_.constant(in_.nodes[n].outputs[0]) == nullptr) visit(in_.nodes[n]);
    for (ir::ValueId id : in_.outputs) out_.outputs.push_back(output_value(id));
    return std::move(out_);
  }

 private:
  std::optional<qgraph::ValueId>& integer_of(ir::ValueId id) { return integer_[static_cast<std::size_t>(id)]; }
  std::optional<qgraph::ValueId>& float_of(ir::ValueId id) { return float_[static_cast<std::size_t>(id)]; }
  const numeric::QuantParams& params_of(qgraph::ValueId id) const { return *out_.value(id).params; }

  // The name a value has in the file, or, when another form of it took that already, one like it.
  std::string unique(const std::string& name) {
    return names_.insert(name).second ? name : invented(name + "_float");
  }

  // A name that no value of the file has.
  std::string invented(std::string name) {
    while (in_.find(name) || !names_.insert(name).second) name += '_';
    return name;
  }

  qgraph::ValueId add_value(const std::string& name, const Shape& shape, DType dtype,
                    std::optional<numeric::QuantParams> params) {
    out_.values.push_back({unique(name), shape, dtype, std::move(params)});
    return static_cast<qgraph::ValueId>(out_.values.size()) - 1;
  }

  qgraph::ValueId add_node(const std::string& name, qgraph::Op op, std::vector<qgraph::ValueId> inputs, qgraph::ValueId output) {
    out_.nodes.push_back({name, std::move(op), std::move(inputs), {output}});
    return output;
  }

  void add_input(ir::ValueId id) {
    const ir::Value& value = in_.value(id);
    const qgraph::ValueId added = add_value(value.name, value.shape, value.dtype, std::nullopt);
    (is_float(value.dtype) ? float_of(id) : integer_of(id)) = added;
    out_.inputs.push_back(added);
  }

  qgraph::ValueId output_value(ir::ValueId id) {
    if (const Tensor* constant = in_.constant(id)) {
      const qgraph::ValueId y = add_value(in_.value(id).name, constant->shape(), constant->dtype(), std::nullopt);
      return add_node(in_.value(id).name, qgraph::Constant{*constant}, {}, y);
    }
    const bool integers = !is_float(in_.value(id).dtype);
    if (integers && integer_of(id)) return *integer_of(id);
    if (integers && float_of(id)) return *float_of(id);
    if (integers)
      throw UnsupportedError("lower",
                             fmt::format("output '{}' is a constant or not computed", in_.value(id).name));
    return float_value(id);
  }

  // A value in float for an island or an output, dequantized where need be.
  qgraph::ValueId float_value(ir::ValueId id) {
    if (float_of(id)) return *float_of(id);
    if (!integer_of(id))
      throw UnsupportedError("lower", fmt::format("value '{}' is not computed", in_.value(id).name));
    const qgraph::ValueId q = *integer_of(id);
    if (!out_.value(q).params)
      throw UnsupportedError("lower",
                             fmt::format("value '{}' is integers without a scale", in_.value(id).name));
    const qgraph::ValueId y = add_value(in_.value(id).name, in_.value(id).shape, DType::float32, std::nullopt);
    float_of(id) = add_node(in_.value(id).name, qgraph::Dequantize{params_of(q)}, {q}, y);
    return y;
  }

  void visit(const ir::Node& node) {
    if (as<ir::QuantizeLinear>(node) != nullptr) return visit_quantize(node);
    if (as<ir::DequantizeLinear>(node) != nullptr) return visit_dequantize(node);
    const bool on_integers = !node.inputs.empty() && node.inputs[0] != ir::kNoValue &&
                             integer_of(node.inputs[0]) && out_.value(*integer_of(node.inputs[0])).params;
    if (on_integers && (try_move(node) || try_clip(node))) return;
    const qgraph::FloatReason reason = try_fuse(node);
    if (!reason.empty()) add_island(node, reason);
  }

  // Values that are quantized, or come of integers, are float32: the arithmetic knows no other reals.
  void expect_float32(const ir::Node& node, ir::ValueId real) const {
    if (in_.value(real).dtype != DType::float32)
      throw UnsupportedError(ir::describe(in_, node), fmt::format("reals of type {}, expected float32",
                                                                  name_of(in_.value(real).dtype)));
  }

  void visit_quantize(const ir::Node& node) {
    const ir::ValueId x = node.inputs[0];
    expect_float32(node, x);
    const ir::Value& output = in_.value(node.outputs[0]);
    const auto& op = *as<ir::QuantizeLinear>(node);
    if (op.rounding != out_.arithmetic.rounding)
      throw UnsupportedError(ir::describe(in_, node),
                             fmt::format("rounding {}, expected {} as everywhere in the file", numeric::name_of(op.rounding),
                                         numeric::name_of(out_.arithmetic.rounding)));
    const numeric::QuantParams y = lower::params_of(in_, node);
    if (y.granularity != numeric::Granularity::tensor)
      throw UnsupportedError(ir::describe(in_, node),
                             "activations quantized along an axis, expected per tensor");
    std::optional<qgraph::ValueId>& result = integer_of(node.outputs[0]);
    if (const auto pending = pending_.find(x); pending != pending_.end()) {
      pending->second.fused.y = y;
      const qgraph::ValueId id = add_value(output.name, output.shape, output.dtype, y);
      qgraph::Op integers = lower_op(pending->second.fused);
      note_rounded_bias(pending->second, integers);
      result = add_node(pending->second.fused.name, std::move(integers), pending->second.inputs, id);
    } else if (integer_of(x) && params_of(*integer_of(x)) == y) {
      result = alias(*integer_of(x), output);
    } else {
      const qgraph::ValueId id = add_value(output.name, output.shape, output.dtype, y);
      if (integer_of(x))
        result =
            add_node(output.name, make_requantize(params_of(*integer_of(x)), y, out_.arithmetic, output.name),
                     {*integer_of(x)}, id);
      else
        result = add_node(output.name, qgraph::Quantize{y, out_.arithmetic.rounding}, {float_value(x)}, id);
    }
  }

  void note_rounded_bias(const Pending& pending, const qgraph::Op& op) {
    std::optional<qgraph::RoundedBias> bias = rounded_bias(pending.fused, op);
    if (!bias) return;
    bias->computed = in_.value(pending.computed).name;
    out_.rounded_biases.push_back(std::move(*bias));
  }

  // Quantizing what is already on that grid changes nothing: the value takes the name, or is copied under it.
  qgraph::ValueId alias(qgraph::ValueId id, const ir::Value& output) {
    if (views_.erase(id) > 0) {
      names_.erase(out_.value(id).name);
      out_.values[static_cast<std::size_t>(id)].name = unique(output.name);
      return id;
    }
    const qgraph::ValueId copy = add_value(output.name, output.shape, output.dtype, params_of(id));
    return add_node(output.name, qgraph::Move{}, {id}, copy);
  }

  void visit_dequantize(const ir::Node& node) {
    const ir::ValueId x = node.inputs[0];
    expect_float32(node, node.outputs[0]);
    if (in_.constant(x) != nullptr) return;  // weights: their readers take them from here
    if (!integer_of(x))
      throw UnsupportedError(ir::describe(in_, node), "reads a value that is not quantized");
    const numeric::QuantParams params = lower::params_of(in_, node);
    qgraph::Value& value = out_.values[static_cast<std::size_t>(*integer_of(x))];
    if (params.granularity == numeric::Granularity::tensor && in_.value(x).dtype != DType::int32) {
      if (!value.params) value.params = params;  // an integer input of the graph
      if (value.params->affine == params.affine && value.dtype == in_.value(x).dtype) {
        integer_of(node.outputs[0]) = integer_of(x);
        return;
      }
    }
    const ir::Value& output = in_.value(node.outputs[0]);
    const qgraph::ValueId y = add_value(output.name, output.shape, DType::float32, std::nullopt);
    float_of(node.outputs[0]) = add_node(node.name, qgraph::Dequantize{params}, {*integer_of(x)}, y);
  }

  // Moved integers have the file's name where they are integers there, and else one of ours until a Quantize
  // names them.
  qgraph::ValueId add_moved(const ir::Value& output, DType dtype, const numeric::QuantParams& params) {
    if (!is_float(output.dtype)) return add_value(output.name, output.shape, dtype, params);
    const std::string name = invented(output.name + "_integers");
    names_.erase(name);
    const qgraph::ValueId y = add_value(name, output.shape, dtype, params);
    views_.insert(y);
    return y;
  }

  // Ops that only move or choose among elements work on the integers themselves.
  bool try_move(const ir::Node& node) {
    std::optional<qgraph::Op> op;
    const qgraph::ValueId x = *integer_of(node.inputs[0]);
    const Shape& shape = out_.value(x).shape;
    if (const auto* pool = as<ir::MaxPool>(node); pool != nullptr && !pool->with_indices) {
      op = qgraph::MaxPool{ir::resolve_plane(pool->window, shape, node.name)};
    } else if (as<ir::GlobalMaxPool>(node) != nullptr && (shape.size() == 3 || shape.size() == 4)) {
      const ir::Window whole{.kernel = Shape(shape.begin() + 2, shape.end())};
      op = qgraph::MaxPool{ir::resolve_plane(whole, shape, node.name)};
    } else if (as<ir::Concat>(node) != nullptr || as<ir::Min>(node) != nullptr ||
               as<ir::Max>(node) != nullptr) {
      return try_join(node);
    } else if (const auto* pad = as<ir::Pad>(node)) {
      op = pad_of(node, *pad, x);
    } else if (ir::only_moves(node.op)) {
      const Tensor* argument = node.inputs.size() > 1 ? in_.constant(node.inputs[1]) : nullptr;
      if (node.inputs.size() == 1 || argument != nullptr) op = integer_move(node.op, shape, argument);
      if (op && !fits(std::get<qgraph::Move>(*op), in_.value(node.outputs[0]).shape)) op.reset();
    }
    if (!op) return false;
    const ir::Value& output = in_.value(node.outputs[0]);
    const qgraph::ValueId y = add_moved(output, out_.value(x).dtype, params_of(x));
    integer_of(node.outputs[0]) = add_node(node.name, std::move(*op), {x}, y);
    return true;
  }

  // A result with two open dimensions has a shape only where each of them is one of the input's. Places that all moves list
  // have a bound together.
  bool fits(const qgraph::Move& move, const Shape& y) {
    const bool by_dimension = move.view.empty() && move.axes.size() == y.size();
    if (std::ranges::count(y, kDynamic) > 1 && !by_dimension) return false;
    std::int64_t places = 0;
    for (const qgraph::MovedAxis& axis : move.axes) places += axis.at ? static_cast<std::int64_t>(axis.at->size()) : 0;
    if (places > places_left_) return false;
    places_left_ -= places;
    return true;
  }

  // 0 is an integer at every scale. Another constant is one of the result's scale, which may reach further
  // than x's: where they differ the Pad stays float.
  std::optional<qgraph::Op> pad_of(const ir::Node& node, const ir::Pad& pad, qgraph::ValueId x) const {
    const Shape& shape = out_.value(x).shape;
    if (!is_float(in_.value(node.inputs[0]).dtype)) return integer_pad(pad, shape, ir::rounded_to<std::int32_t>(pad.value));
    const bool zero = pad.value == 0.0 || pad.mode != ir::PadMode::constant;
    if (!zero && (std::isnan(pad.value) || params_behind(node.outputs[0]) != params_of(x)))
      return std::nullopt;
    return integer_pad(pad, shape,
                       numeric::quantize(zero ? 0.0F : static_cast<float>(pad.value), params_of(x).tensor(), params_of(x).format,
                                         out_.arithmetic.rounding));
  }

  // A Clip of the integers themselves: a table of them, at their scale.
  bool try_clip(const ir::Node& node) {
    const auto* clip = as<ir::Clip>(node);
    if (clip == nullptr || is_float(in_.value(node.inputs[0]).dtype)) return false;
    const qgraph::ValueId x = *integer_of(node.inputs[0]);
    const numeric::QuantParams params = params_of(x);
    qgraph::Table table{.function = std::string(ir::Clip::kName), .x_qmin = params.format.qmin()};
    for (std::int32_t q = params.format.qmin(); q <= params.format.qmax(); ++q)
      table.entries.push_back(static_cast<std::int32_t>(
          std::clamp<double>(ir::scalar(*clip, q), params.format.qmin(), params.format.qmax())));
    const ir::Value& output = in_.value(node.outputs[0]);
    const qgraph::ValueId y = add_value(output.name, output.shape, output.dtype, params);
    integer_of(node.outputs[0]) = add_node(node.name, std::move(table), {x}, y);
    return true;
  }

  // Joins integers of one scale, or chooses the least or largest of them; inputs of another scale are first
  // brought to that of the Quantize behind.
  bool try_join(const ir::Node& node) {
    std::vector<qgraph::ValueId> inputs;
    for (ir::ValueId id : node.inputs) {
      if (!integer_of(id) || !out_.value(*integer_of(id)).params) return false;
      inputs.push_back(*integer_of(id));
    }
    const std::optional<numeric::QuantParams> behind = params_behind(node.outputs[0]);
    const numeric::QuantParams params = behind ? *behind : params_of(inputs[0]);
    const auto is_on_grid = [&](qgraph::ValueId input) { return params_of(input) == params; };
    if (!behind && !std::ranges::all_of(inputs, is_on_grid)) return false;
    const DType dtype = numeric::storage_dtype(params.format);
    for (qgraph::ValueId& input : inputs)
      if (!is_on_grid(input)) input = rescaled(input, params, dtype);
    const qgraph::ValueId joined = add_moved(in_.value(node.outputs[0]), dtype, params);
    integer_of(node.outputs[0]) = add_node(node.name, integer_join(node, in_.value(node.outputs[0]).shape.size()), std::move(inputs), joined);
    return true;
  }

  static qgraph::Op integer_join(const ir::Node& node, std::size_t rank) {
    if (const auto* concat = as<ir::Concat>(node))
      return qgraph::Concat{static_cast<std::size_t>(normalize_axis(concat->axis, rank, concat->kName))};
    return qgraph::Extreme{.largest = as<ir::Max>(node) != nullptr};
  }

  // The scale and zero point of the Quantize that alone reads a value.
  std::optional<numeric::QuantParams> params_behind(ir::ValueId id) const {
    const auto& readers = consumers_[static_cast<std::size_t>(id)];
    if (readers.size() != 1) return std::nullopt;
    const ir::Node& reader = in_.nodes[static_cast<std::size_t>(readers[0])];
    if (as<ir::QuantizeLinear>(reader) == nullptr) return std::nullopt;
    return lower::params_of(in_, reader);
  }

  qgraph::ValueId rescaled(qgraph::ValueId x, const numeric::QuantParams& params, DType dtype) {
    const std::string name = invented(out_.value(x).name + "_rescaled");
    names_.erase(name);
    const qgraph::ValueId y = add_value(name, out_.value(x).shape, dtype, params);
    return add_node(name, make_requantize(params_of(x), params, out_.arithmetic, name), {x}, y);
  }

  std::optional<ConstantOperand> constant_operand(ir::ValueId id) const {
    const int producer = producers_[static_cast<std::size_t>(id)];
    return lower::constant_operand(in_, producer < 0 ? nullptr : &in_.nodes[static_cast<std::size_t>(producer)]);
  }

  // The floats of a constant, given as such or as integers.
  std::optional<Tensor> real_constant(ir::ValueId id) const {
    if (const auto operand = constant_operand(id)) return numeric::dequantize(operand->q, operand->params);
    if (const Tensor* constant = in_.constant(id)) return *constant;
    return std::nullopt;
  }

  // Follows the only reader from `id` to a Quantize, over ReLU and Clip when the op takes bounds; absorbs
  // those.
  bool absorb_to_quantize(ir::ValueId id, FusedOp& fused, ir::ValueId& end) {
    std::vector<int> between;
    for (;;) {
      const auto& readers = consumers_[static_cast<std::size_t>(id)];
      if (readers.size() != 1 || uses_[static_cast<std::size_t>(id)] != 1) return false;
      const ir::Node& reader = in_.nodes[static_cast<std::size_t>(readers[0])];
      if (as<ir::QuantizeLinear>(reader) != nullptr && reader.inputs[0] == id) break;
      const auto* clip = as<ir::Clip>(reader);
      if (!takes_bounds(fused.op) || (clip == nullptr && as<ir::Relu>(reader) == nullptr)) return false;
      const ir::Clip next = clip != nullptr ? *clip : ir::Clip{.lo = 0.0F};
      fused.lo = std::min(std::max(fused.lo, next.lo), next.hi);
      fused.hi = std::min(std::max(fused.hi, next.lo), next.hi);
      between.push_back(readers[0]);
      id = reader.outputs[0];
    }
    for (int n : between) absorbed_[static_cast<std::size_t>(n)] = true;
    end = id;
    return true;
  }

  // Why the node cannot become an integer node, or nothing when it now waits for its Quantize.
  qgraph::FloatReason try_fuse(const ir::Node& node) {
    FusedOp fused{.name = node.name, .op = node.op, .arithmetic = out_.arithmetic};
    std::vector<qgraph::ValueId> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ir::ValueId id = node.inputs[i];
      if (id == ir::kNoValue) continue;
      if (i > 0 && ir::is_linear(node.op) && (integer_of(id) || float_of(id)))
        return "its weights or bias are computed";
      if (integer_of(id)) {
        if (!out_.value(*integer_of(id)).params) return "its input is integers without a scale";
        inputs.push_back(*integer_of(id));
        fused.x.push_back(params_of(inputs.back()));
      } else if (ir::takes_constant(node.op)) {
        fused.constant = real_constant(id);
        fused.variable = i == 0 ? 1 : 0;
      } else if (i == 0) {
        return {"its input is not quantized", qgraph::FloatCause::not_quantized};
      } else if (i == 1) {
        fused.weights = constant_operand(id);
      } else if (const Tensor* bias = in_.constant(id); bias != nullptr && bias->dtype() == DType::float32) {
        fused.real_bias = *bias;
      } else {
        fused.bias = constant_operand(id);
        if (!fused.bias) return "its bias is not a constant";
      }
    }
    if (inputs.empty()) return {"its input is not quantized", qgraph::FloatCause::not_quantized};
    fused.x_shape = out_.value(inputs[0]).shape;
    qgraph::FloatReason reason = why_not_integer(fused);
    if (!reason.empty()) return reason;
    ir::ValueId end = node.outputs[0];
    if (!absorb_to_quantize(node.outputs[0], fused, end)) return {"its output is not quantized", qgraph::FloatCause::not_quantized};
    pending_.emplace(end, Pending{std::move(fused), std::move(inputs), node.outputs[0]});
    return "";
  }

  // An operand of an island: floats, or integers that have no scale.
  qgraph::ValueId operand_of(ir::ValueId id) {
    if (!is_float(in_.value(id).dtype) && integer_of(id) && !float_of(id)) return *integer_of(id);
    return float_value(id);
  }

  // One node alone; join_islands makes larger ones of them.
  void add_island(const ir::Node& node, const qgraph::FloatReason& reason) {
    qgraph::Island island{.graph = {}, .reasons = {reason}};
    qgraph::Node added{.name = node.name, .op = {}, .inputs = {}, .outputs = {}};
    ir::Node own{node.name, node.op, {}, {}};
    Operands known;
    for (ir::ValueId id : node.inputs) own.inputs.push_back(add_operand(id, island.graph, added.inputs, known));
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const ir::ValueId id = node.outputs[i];
      const ir::Value& output = in_.value(id);
      const bool read = i == 0 || uses_[static_cast<std::size_t>(id)] > 0;
      const std::string name = read ? unique(output.name) : output.name;
      own.outputs.push_back(island.graph.add_value(name, output.dtype, output.shape));
      if (!read) continue;
      island.graph.outputs.push_back(own.outputs.back());
      out_.values.push_back({name, output.shape, output.dtype, std::nullopt});
      added.outputs.push_back(static_cast<qgraph::ValueId>(out_.values.size()) - 1);
      float_of(id) = added.outputs.back();
    }
    island.graph.nodes.push_back(std::move(own));
    added.op = std::move(island);
    out_.nodes.push_back(std::move(added));
  }

  // Values of an island's graph: by the file's value, and by the network's.
  struct Operands {
    std::map<ir::ValueId, ir::ValueId> constants;
    std::map<qgraph::ValueId, ir::ValueId> inputs;
  };

  // An operand of an island: a constant of its graph, or one of its inputs. Each stands there once, under its name.
  ir::ValueId add_operand(ir::ValueId id, ir::Graph& island, std::vector<qgraph::ValueId>& inputs, Operands& known) {
    if (id == ir::kNoValue) return ir::kNoValue;
    if (const auto found = known.constants.find(id); found != known.constants.end()) return found->second;
    if (std::optional<Tensor> fixed = real_constant(id))
      return known.constants[id] = island.add_constant(in_.value(id).name, std::move(*fixed));
    const qgraph::ValueId operand = operand_of(id);
    if (const auto found = known.inputs.find(operand); found != known.inputs.end()) return found->second;
    inputs.push_back(operand);
    const qgraph::Value& value = out_.value(operand);
    return known.inputs[operand] = island.add_input(value.name, value.dtype, value.shape);
  }

  std::int64_t places_left_ = kMostPlaces;
  ir::Graph in_;
  std::vector<int> producers_;
  std::vector<std::vector<int>> consumers_;
  std::vector<int> uses_;
  qgraph::QuantizedGraph out_;
  std::vector<std::optional<qgraph::ValueId>> integer_;  // by ir value: the integers whose dequantized form it is
  std::vector<std::optional<qgraph::ValueId>> float_;    // by ir value: the same value in float
  std::vector<bool> absorbed_;                   // nodes that became part of another
  std::map<ir::ValueId, Pending> pending_;       // by the float value its Quantize will read
  std::unordered_set<qgraph::ValueId> views_;            // moved integers that no Quantize has named yet
  std::unordered_set<std::string> names_;
};

// Operators that take or give integers which stand for reals.
template <typename Op>
constexpr bool kOfIntegers = ir::QuantizedOp<qgraph::Op>;
template <>
constexpr bool kOfIntegers<ir::QuantizeLinear> = true;
template <>
constexpr bool kOfIntegers<ir::DequantizeLinear> = true;
template <>
constexpr bool kOfIntegers<ir::DynamicQuantizeLinear> = true;
template <>
constexpr bool kOfIntegers<ir::Quant> = true;
template <>
constexpr bool kOfIntegers<ir::ConvInteger> = true;
template <>
constexpr bool kOfIntegers<ir::MatMulInteger> = true;
template <>
constexpr bool kOfIntegers<ir::QLinearConv> = true;
template <>
constexpr bool kOfIntegers<ir::QLinearMatMul> = true;
template <>
constexpr bool kOfIntegers<ir::QGemm> = true;

}  // namespace

bool is_quantized(const ir::Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const ir::Node& node) {
    return std::visit([](const auto& op) { return kOfIntegers<std::decay_t<decltype(op)>>; }, node.op);
  });
}

qgraph::QuantizedGraph lower(const ir::Graph& graph) {
  ir::Graph copy = with_pairs(graph);
  fold_integer_weights(copy);
  return join_islands(Lowering(std::move(copy)).run());
}

}  // namespace halftone::lower
