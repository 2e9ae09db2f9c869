#include "halftone/quant/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ir/infer.h"
#include "halftone/quant/plan.h"

namespace halftone::quant {
namespace {

class Rewriter {
 public:
  Rewriter(const ir::Graph& graph, const Parameters& parameters, const numeric::ArithmeticSpec& arithmetic)
      : in_(graph),
        parameters_(parameters),
        plan_(parameters.plan),
        arithmetic_(arithmetic),
        renamed_(graph.values.size(), ir::kNoValue) {}

  Quantized run() {
    out_.name = in_.name;
    out_.metadata = in_.metadata;
    numeric::write_arithmetic(arithmetic_, out_.metadata);
    for (ir::ValueId id : in_.inputs) {
      const ir::Value& value = in_.value(id);
      finish(id, out_.add_input(value.name, value.dtype, value.shape));
    }
    for (std::size_t n = 0; n < in_.nodes.size(); ++n) rewrite(n);
    for (ir::ValueId id : in_.outputs) out_.outputs.push_back(output(id));
    for (const auto& [id, own] : named_) out_.rename(own, in_.value(id).name);
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
    if (renamed(id) == ir::kNoValue) {
      renamed(id) = out_.add_constant(in_.value(id).name, *in_.constant(id));
      if (is_output(id)) named_.emplace_back(id, renamed(id));
    }
    return renamed(id);
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
    const auto& params = parameters_.activations[static_cast<std::size_t>(id)];
    if (!params || !names_output(id)) named_.emplace_back(id, computed);
    if (!params) return;
    const std::string& name = in_.value(id).name;
    const ir::ValueId s = scalar(name + "_scale", params->affine.scale);
    const ir::ValueId z =
        zero_point(name + "_zero_point", params->affine.zero_point, numeric::storage_dtype(params->format));
    const ir::ValueId q =
        out_.add_node(ir::quantizer(params->format, arithmetic_.rounding), {computed, s, z}, name + "_quantized");
    renamed(id) =
        out_.add_node(ir::DequantizeLinear{}, {q, s, z}, names_output(id) ? name : name + "_dequantized");
    if (names_output(id)) named_.emplace_back(id, renamed(id));
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

  void rewrite(std::size_t n) {
    const ir::Node& node = in_.nodes[n];
    std::vector<ir::ValueId> inputs;
    if (parameters_.weights[n]) {
      inputs = linear_inputs(node, *parameters_.weights[n]);
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

  std::vector<ir::ValueId> linear_inputs(const ir::Node& node, const QuantizedWeights& weights) {
    if (!weights.raised.empty())
      notes_.push_back(fmt::format("{}: weight scale raised for {} channels so that the bias fits 2^30 steps",
                                   ir::describe(in_, node), weights.raised.size()));
    std::vector<ir::ValueId> inputs{operand(node.inputs[0]),
                                    weight_operand(in_.value(node.inputs[1]).name, weights)};
    if (float_bias(in_, node).empty()) return inputs;
    const auto& x = parameters_.activations[static_cast<std::size_t>(node.inputs[0])];
    const std::string& name = in_.value(node.inputs[2]).name;
    inputs.push_back(x && !weights.bias.empty()  ? bias_operand(name, weights, x->affine.scale)
                     : weights.real_bias.empty() ? operand(node.inputs[2])
                                                 : out_.add_constant(name, corrected_bias(node, weights)));
    return inputs;
  }

  ir::ValueId weight_operand(const std::string& name, const QuantizedWeights& w) {
    std::vector<float> scales;
    std::vector<std::int32_t> zeros;
    for (const numeric::Affine& affine : w.params.affine) {
      scales.push_back(affine.scale);
      zeros.push_back(affine.zero_point);
    }
    if (w.params.granularity == numeric::Granularity::group) return grouped_operand(name, w, scales, zeros);
    const bool whole = w.params.granularity == numeric::Granularity::tensor;
    const Shape shape = whole ? Shape{} : Shape{static_cast<std::int64_t>(scales.size())};
    const ir::ValueId q = integers_operand(name, w);
    const ir::ValueId s = out_.add_constant(name + "_scale", Tensor::from<float>(shape, scales));
    const ir::ValueId z =
        out_.add_constant(name + "_zero_point", numeric::from_int32(shape, zeros, w.q.dtype()));
    return out_.add_node(ir::DequantizeLinear{.axis = w.params.axis}, {q, s, z}, name + "_dequantized");
  }

  // Weights of a codebook are entries of a table, whose places in it the file holds.
  ir::ValueId integers_operand(const std::string& name, const QuantizedWeights& w) {
    if (w.codebook.empty()) return out_.add_constant(name + "_quantized", w.q);
    std::vector<std::int32_t> places = numeric::to_int32(w.q);
    for (std::int32_t& q : places)
      q = static_cast<std::int32_t>(std::ranges::lower_bound(w.codebook, q) - w.codebook.begin());
    const auto entries = static_cast<std::int64_t>(w.codebook.size());
    const DType dtype = numeric::storage_dtype({std::max(1, static_cast<int>(std::bit_width(w.codebook.size() - 1))), false, false});
    const ir::ValueId table = out_.add_constant(name + "_codebook", numeric::from_int32({entries}, w.codebook, w.q.dtype()));
    const ir::ValueId index = out_.add_constant(name + "_index", numeric::from_int32(w.q.shape(), places, dtype));
    const ir::ValueId wide = out_.add_node(ir::Cast{DType::int32}, {index}, name + "_place");
    return out_.add_node(ir::Gather{}, {table, wide}, name + "_quantized");
  }

  // ONNX's scales by block: [M, blocks, k…], the same for every tap, or [blocks, M] for weights [C, M].
  ir::ValueId grouped_operand(const std::string& name, const QuantizedWeights& w, const std::vector<float>& scales,
                              const std::vector<std::int32_t>& zeros) {
    const bool first = w.params.axis == 0;
    const std::int64_t channels = w.q.dim(first ? 0 : 1);
    const std::int64_t blocks = static_cast<std::int64_t>(scales.size()) / channels;
    const std::int64_t taps = product(w.q.shape(), 2, w.q.rank());
    Shape shape = w.q.shape();
    shape[first ? 1 : 0] = blocks;
    std::vector<float> s;
    std::vector<std::int32_t> z;
    for (std::int64_t i = 0; i < channels * blocks * taps; ++i) {
      const auto at = static_cast<std::size_t>(first ? i / taps : i % channels * blocks + i / channels);
      s.push_back(scales[at]);
      z.push_back(zeros[at]);
    }
    const ir::DequantizeLinear op{.axis = first ? 1 : 0, .block_size = w.params.group_size / taps};
    return out_.add_node(op,
                         {out_.add_constant(name + "_quantized", w.q),
                          out_.add_constant(name + "_scale", Tensor::from<float>(shape, s)),
                          out_.add_constant(name + "_zero_point", numeric::from_int32(shape, z, w.q.dtype()))},
                         name + "_dequantized");
  }

  Tensor corrected_bias(const ir::Node& node, const QuantizedWeights& w) const {
    return Tensor::from<float>(in_.constant(node.inputs[2])->shape(), w.real_bias);
  }

  // int32 at scale s_x·s_w, zero point 0; of fewer bits, at 2^k times it.
  ir::ValueId bias_operand(const std::string& name, const QuantizedWeights& w, float s_x) {
    const bool narrow = w.bias_bits != numeric::kWholeBias;
    const bool whole = w.params.granularity == numeric::Granularity::tensor && !narrow;
    const auto channels = static_cast<std::int64_t>(w.bias.size());
    std::vector<std::int32_t> q;
    std::vector<float> scales;
    for (std::size_t c = 0; c < w.bias.size(); ++c) {
      const int shift = bias_shift(w.bias[c], w.bias_bits);
      q.push_back(static_cast<std::int32_t>(w.bias[c] / (std::int64_t{1} << shift)));
      const float s_w = w.params.affine[w.params.affine.size() == 1 ? 0 : c].scale;
      if (!whole || c == 0) scales.push_back(std::ldexp(s_x * s_w, shift));
    }
    const Shape shape = whole ? Shape{} : Shape{channels};
    const DType dtype = narrow ? numeric::storage_dtype({w.bias_bits, true, false}) : DType::int32;
    const ir::ValueId id = out_.add_constant(name + "_quantized", numeric::from_int32({channels}, q, dtype));
    for (float scale : scales)
      if (!std::isnormal(scale))
        throw InputError(name, fmt::format("bias scale s_x*s_w is {}, expected a normal float32", scale));
    const ir::ValueId s = out_.add_constant(name + "_scale", Tensor::from<float>(shape, scales));
    return out_.add_node(ir::DequantizeLinear{.axis = 0}, {id, s}, name + "_dequantized");
  }

  const ir::Graph& in_;
  const Parameters& parameters_;
  const Plan& plan_;
  const numeric::ArithmeticSpec& arithmetic_;
  ir::Graph out_;
  std::vector<ir::ValueId> renamed_;  // by old value: the new one its readers use
  std::vector<std::pair<ir::ValueId, ir::ValueId>> named_;  // an old value, and the new one that keeps its name
  std::vector<std::string> notes_;
};

}  // namespace

Quantized quantize(const ir::Graph& graph, const Parameters& parameters,
                   const numeric::ArithmeticSpec& arithmetic) {
  return Rewriter(graph, parameters, arithmetic).run();
}

Quantized quantize(const ir::Graph& graph, const RangeTable& ranges, const Recipe& recipe) {
  return quantize(graph, choose_parameters(graph, ranges, recipe), recipe.arithmetic);
}

std::vector<FloatNode> float_nodes(const ir::Graph& graph) { return float_nodes(graph, plan(graph)); }

std::vector<FloatNode> float_nodes(const ir::Graph& graph, const Plan& decided) {
  std::vector<FloatNode> result;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (decided.role[n] == Role::floating)
      result.push_back({ir::describe(graph, graph.nodes[n]), decided.reason[n], n});
  return result;
}

}  // namespace halftone::quant
