#include "halftone/quant/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"
#include "halftone/quant/plan.h"
#include "halftone/quant/weight_clip.h"
#include "halftone/quant/weights.h"

namespace halftone::quant {
namespace {

class Rewriter {
 public:
  Rewriter(const ir::Graph& graph, const RangeTable& ranges, const Recipe& recipe)
      : in_(graph),
        ranges_(ranges),
        recipe_(recipe),
        plan_(plan(graph)),
        renamed_(graph.values.size(), ir::kNoValue) {}

  Quantized run() {
    find_class_ranges();
    out_.name = in_.name;
    out_.metadata = in_.metadata;
    qgraph::write_arithmetic(recipe_.arithmetic, out_.metadata);
    for (ir::ValueId id : in_.inputs) {
      const ir::Value& value = in_.value(id);
      finish(id, out_.add_input(value.name, value.dtype, value.shape));
    }
    for (std::size_t n = 0; n < in_.nodes.size(); ++n) rewrite(in_.nodes[n], plan_.role[n]);
    for (ir::ValueId id : in_.outputs) out_.outputs.push_back(output(id));
    return {std::move(out_), std::move(notes_)};
  }

 private:
  ir::ValueId& renamed(ir::ValueId id) { return renamed_[static_cast<std::size_t>(id)]; }

  bool names_output(ir::ValueId id) const {
    return is_output(id) && std::ranges::find(in_.inputs, id) == in_.inputs.end();
  }

  bool is_output(ir::ValueId id) const { return std::ranges::find(in_.outputs, id) != in_.outputs.end(); }

  ir::ValueId operand(ir::ValueId id) {
    if (id == ir::kNoValue) return id;
    if (renamed(id) == ir::kNoValue) renamed(id) = out_.add_constant(in_.value(id).name, *in_.constant(id));
    return renamed(id);
  }

  // The union of the ranges of all values that share a scale.
  void find_class_ranges() {
    for (std::size_t v = 0; v < in_.values.size(); ++v) {
      if (!plan_.quantized[v]) continue;
      const std::string& name = in_.values[v].name;
      const auto range = ranges_.find(name);
      if (range == ranges_.end()) throw InputError("quantize", fmt::format("no range for value '{}'", name));
      const auto [at, added] = class_ranges_.try_emplace(plan_.scale_class[v], range->second);
      at->second.lo = std::min(at->second.lo, range->second.lo);
      at->second.hi = std::max(at->second.hi, range->second.hi);
    }
  }

  numeric::Affine activation_params(ir::ValueId id) const {
    try {
      return numeric::affine_from_range(class_ranges_.at(plan_.scale_class[static_cast<std::size_t>(id)]),
                                        recipe_.activations, recipe_.activation_scheme, recipe_.power_of_two);
    } catch (const InputError& error) {
      throw InputError(in_.value(id).name, error.what());
    }
  }

  ir::ValueId scalar(const std::string& name, float value) {
    return out_.add_constant(name, Tensor::from<float>({}, {&value, 1}));
  }
  ir::ValueId zero_point(const std::string& name, std::int32_t value, DType dtype) {
    return out_.add_constant(name, numeric::from_int32({}, {&value, 1}, dtype));
  }

  // `computed` is the value in the new graph; behind it goes the pair, if it gets one.
  void finish(ir::ValueId id, ir::ValueId computed) {
    renamed(id) = computed;
    if (!plan_.quantized[static_cast<std::size_t>(id)]) return;
    const std::string& name = in_.value(id).name;
    const numeric::Affine affine = activation_params(id);
    scale_[id] = affine.scale;
    const ir::ValueId s = scalar(name + "_scale", affine.scale);
    const ir::ValueId z =
        zero_point(name + "_zero_point", affine.zero_point, numeric::storage_dtype(recipe_.activations));
    const ir::ValueId q = out_.add_node(ir::QuantizeLinear{}, {computed, s, z}, name + "_quantized");
    renamed(id) =
        out_.add_node(ir::DequantizeLinear{}, {q, s, z}, names_output(id) ? name : name + "_dequantized");
    out_.nodes.back().name = name + "_dequantized";  // the node before it may be called as the output is
  }

  // An input that is an output as well is handed on as it came.
  ir::ValueId output(ir::ValueId id) {
    const auto input = std::ranges::find(in_.inputs, id);
    return input != in_.inputs.end() ? out_.inputs[static_cast<std::size_t>(input - in_.inputs.begin())]
                                     : operand(id);
  }

  // The name under which a node's float result goes; a quantized output leaves its own name to its
  // Dequantize.
  std::string result_name(ir::ValueId id) const {
    const bool pair = plan_.quantized[static_cast<std::size_t>(id)];
    return in_.value(id).name + (pair && names_output(id) ? "_real" : "");
  }

  void rewrite(const ir::Node& node, Role role) {
    std::vector<ir::ValueId> inputs;
    if (role == Role::linear) {
      inputs = linear_inputs(node);
    } else {
      for (ir::ValueId id : node.inputs) inputs.push_back(operand(id));
    }
    const ir::ValueId computed = out_.add_node(node.op, std::move(inputs), result_name(node.outputs[0]));
    const std::size_t added = out_.nodes.size() - 1;
    out_.nodes[added].name = node.name;
    std::vector<ir::ValueId> others;
    const auto types = ir::infer_node(out_, out_.nodes[added]);
    for (std::size_t i = 1; i < node.outputs.size(); ++i) {
      others.push_back(out_.add_value(result_name(node.outputs[i]), types[i].dtype, types[i].shape));
      out_.nodes[added].outputs.push_back(others.back());
    }
    finish(node.outputs[0], computed);
    for (std::size_t i = 1; i < node.outputs.size(); ++i) finish(node.outputs[i], others[i - 1]);
  }

  std::vector<ir::ValueId> linear_inputs(const ir::Node& node) {
    const Tensor& weights = *in_.constant(node.inputs[1]);
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
    std::span<const float> bias;
    if (has_bias) bias = in_.constant(node.inputs[2])->data<float>();
    const int axis = ir::weight_axis(node.op);
    // The groups of a ConvTranspose share its channel dimension.
    const auto* transpose = std::get_if<ir::ConvTranspose>(&node.op);
    const bool shared = transpose != nullptr && transpose->groups > 1;
    const numeric::WeightSpec spec{.format = recipe_.weights,
                                   .scheme = recipe_.weight_scheme,
                                   .power_of_two = recipe_.power_of_two,
                                   .granularity = shared ? numeric::Granularity::tensor : recipe_.granularity,
                                   .axis = axis};
    QuantizedWeights quantized;
    try {
      quantized =
          quantize_weights(weights, bias, scale_.at(node.inputs[0]), spec, weight_ranges(weights, spec));
    } catch (const InputError& error) {
      throw InputError(ir::describe(in_, node), error.what());
    }
    if (!quantized.raised.empty())
      notes_.push_back(fmt::format("{}: weight scale raised for {} channels so that the bias fits 2^30 steps",
                                   ir::describe(in_, node), quantized.raised.size()));
    std::vector<ir::ValueId> inputs{operand(node.inputs[0]),
                                    weight_operand(in_.value(node.inputs[1]).name, quantized, axis)};
    if (has_bias)
      inputs.push_back(bias_operand(in_.value(node.inputs[2]).name, quantized, scale_.at(node.inputs[0])));
    return inputs;
  }

  std::vector<numeric::Range> weight_ranges(const Tensor& weights, const numeric::WeightSpec& spec) const {
    return recipe_.weight_range == WeightRange::mean_squared_error ? clipped_weight_ranges(weights, spec)
                                                                   : numeric::weight_ranges(weights, spec);
  }

  ir::ValueId weight_operand(const std::string& name, const QuantizedWeights& w, int axis) {
    std::vector<float> scales;
    std::vector<std::int32_t> zeros;
    for (const numeric::Affine& affine : w.params.affine) {
      scales.push_back(affine.scale);
      zeros.push_back(affine.zero_point);
    }
    const bool whole = w.params.granularity == numeric::Granularity::tensor;
    const Shape shape = whole ? Shape{} : Shape{static_cast<std::int64_t>(scales.size())};
    const ir::ValueId q = out_.add_constant(name + "_quantized", w.q);
    const ir::ValueId s = out_.add_constant(name + "_scale", Tensor::from<float>(shape, scales));
    const ir::ValueId z =
        out_.add_constant(name + "_zero_point", numeric::from_int32(shape, zeros, w.q.dtype()));
    return out_.add_node(ir::DequantizeLinear{.axis = axis}, {q, s, z}, name + "_dequantized");
  }

  // int32 at scale s_x·s_w, zero point 0.
  ir::ValueId bias_operand(const std::string& name, const QuantizedWeights& w, float s_x) {
    std::vector<std::int32_t> q(w.bias.begin(), w.bias.end());
    std::vector<float> scales;
    for (const numeric::Affine& affine : w.params.affine) scales.push_back(s_x * affine.scale);
    const bool whole = w.params.granularity == numeric::Granularity::tensor;
    const Shape shape = whole ? Shape{} : Shape{static_cast<std::int64_t>(scales.size())};
    const ir::ValueId id = out_.add_constant(
        name + "_quantized", Tensor::from<std::int32_t>({static_cast<std::int64_t>(q.size())}, q));
    for (float scale : scales)
      if (!std::isnormal(scale))
        throw InputError(name, fmt::format("bias scale s_x*s_w is {}, expected a normal float32", scale));
    const ir::ValueId s = out_.add_constant(name + "_scale", Tensor::from<float>(shape, scales));
    return out_.add_node(ir::DequantizeLinear{.axis = 0}, {id, s}, name + "_dequantized");
  }

  const ir::Graph& in_;
  const RangeTable& ranges_;
  const Recipe& recipe_;
  Plan plan_;
  ir::Graph out_;
  std::vector<ir::ValueId> renamed_;                    // by old value: the new one its readers use
  std::map<ir::ValueId, numeric::Range> class_ranges_;  // by scale class
  std::map<ir::ValueId, float> scale_;                  // by old value
  std::vector<std::string> notes_;
};

}  // namespace

Quantized quantize(const ir::Graph& graph, const RangeTable& ranges, const Recipe& recipe) {
  check(recipe);
  return Rewriter(graph, ranges, recipe).run();
}

std::vector<FloatNode> float_nodes(const ir::Graph& graph) {
  const Plan decided = plan(graph);
  std::vector<FloatNode> result;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (decided.role[n] == Role::floating)
      result.push_back({ir::describe(graph, graph.nodes[n]), decided.reason[n], n});
  return result;
}

}  // namespace halftone::quant
