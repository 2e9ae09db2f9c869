#include "halftone/quant/quantize_dynamic.h"

#include <algorithm>
#include <map>

namespace halftone::quant {
namespace {

// The integers of a value, quantized once for all layers that read it.
struct Integers {
  ir::ValueId q;
  ir::ValueId scale;
  ir::ValueId zero_point;
};

Tensor transposed(const Tensor& matrix) {
  const std::vector<std::int32_t> in = numeric::to_int32(matrix);
  const std::int64_t rows = matrix.dim(0);
  const std::int64_t columns = matrix.dim(1);
  std::vector<std::int32_t> out(in.size());
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      out[static_cast<std::size_t>(c * rows + r)] = in[static_cast<std::size_t>(r * columns + c)];
  return numeric::from_int32({columns, rows}, out, matrix.dtype());
}

class Rewriter {
 public:
  explicit Rewriter(ir::Graph graph) : graph_(std::move(graph)), before_(std::move(graph_.nodes)) { graph_.nodes.clear(); }

  ir::Graph run(const Parameters& parameters) {
    for (std::size_t n = 0; n < before_.size(); ++n) {
      const auto& weights = parameters.weights[n];
      if (weights && rewrite(before_[n], *weights)) continue;
      ir::Node node = before_[n];
      if (weights) node.inputs[1] = real_weights(node, *weights);
      graph_.nodes.push_back(std::move(node));
    }
    return ir::without_dead_nodes(graph_);
  }

 private:
  bool rewrite(const ir::Node& node, const QuantizedWeights& w) {
    const auto* conv = std::get_if<ir::Conv>(&node.op);
    const auto* gemm = std::get_if<ir::Gemm>(&node.op);
    if (conv == nullptr && gemm == nullptr && !std::holds_alternative<ir::MatMul>(node.op)) return false;
    const Integers x = integers_of(node.inputs[0]);
    const std::string name = graph_.value(node.inputs[1]).name;
    Tensor q = w.q.dtype() == DType::int8 ? w.q : numeric::from_int32(w.q.shape(), numeric::to_int32(w.q), DType::int8);
    if (gemm != nullptr && gemm->trans_b) q = transposed(q);
    std::vector<ir::ValueId> inputs{x.q, graph_.add_constant(name + "_quantized", q), x.zero_point};
    if (const ir::ValueId z = zero_points(name, w); z != ir::kNoValue) inputs.push_back(z);
    const std::string y = graph_.value(node.outputs[0]).name;
    const ir::ValueId sums = conv != nullptr ? graph_.add_node(ir::ConvInteger{*conv}, inputs, y + "_sums")
                                             : graph_.add_node(ir::MatMulInteger{}, inputs, y + "_sums");
    graph_.nodes.back().name = node.name;
    const ir::ValueId real = graph_.add_node(ir::Cast{DType::float32}, {sums}, y + "_steps");
    const ir::ValueId scale = graph_.add_node(ir::Mul{}, {x.scale, scales(name, w, conv != nullptr)}, y + "_scale");
    const bool biased = node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue;
    ir::Node last{y + "_real", ir::Mul{}, {real, scale}, node.outputs};
    if (biased) {
      const ir::ValueId product = graph_.add_node(ir::Mul{}, last.inputs, y + "_product");
      last = {y + "_biased", ir::Add{}, {product, bias_of(node, w, conv != nullptr)}, node.outputs};
    }
    graph_.nodes.push_back(std::move(last));
    return true;
  }

  const Integers& integers_of(ir::ValueId id) {
    const auto [at, added] = integers_.try_emplace(id);
    if (!added) return at->second;
    const std::string name = graph_.value(id).name;
    const Shape shape = graph_.value(id).shape;
    at->second = {graph_.add_value(name + "_quantized", DType::uint8, shape),
                  graph_.add_value(name + "_scale", DType::float32, {}),
                  graph_.add_value(name + "_zero_point", DType::uint8, {})};
    graph_.nodes.push_back({graph_.value(at->second.q).name, ir::DynamicQuantizeLinear{}, {id},
                            {at->second.q, at->second.scale, at->second.zero_point}});
    return at->second;
  }

  // Scales by output channel, shaped to broadcast with the result.
  static Shape along_channels(std::size_t count, bool conv, std::size_t spatial) {
    Shape shape{static_cast<std::int64_t>(count)};
    if (conv) shape.resize(1 + spatial, 1);
    return shape;
  }

  ir::ValueId scales(const std::string& name, const QuantizedWeights& w, bool conv) {
    std::vector<float> s;
    for (const numeric::Affine& affine : w.params.affine) s.push_back(affine.scale);
    const bool whole = w.params.granularity == numeric::Granularity::tensor;
    const Shape shape = whole ? Shape{} : along_channels(s.size(), conv, w.q.rank() - 2);
    return graph_.add_constant(name + "_scale", Tensor::from<float>(shape, s));
  }

  ir::ValueId zero_points(const std::string& name, const QuantizedWeights& w) {
    std::vector<std::int32_t> z;
    for (const numeric::Affine& affine : w.params.affine) z.push_back(affine.zero_point);
    if (std::ranges::all_of(z, [](std::int32_t v) { return v == 0; })) return ir::kNoValue;
    const Shape shape =
        w.params.granularity == numeric::Granularity::tensor ? Shape{} : Shape{static_cast<std::int64_t>(z.size())};
    return graph_.add_constant(name + "_zero_point", numeric::from_int32(shape, z, DType::int8));
  }

  ir::ValueId bias_of(const ir::Node& node, const QuantizedWeights& w, bool conv) {
    const Tensor& bias = *graph_.constant(node.inputs[2]);
    Tensor real = w.real_bias.empty() ? bias : Tensor::from<float>(bias.shape(), w.real_bias);
    const std::size_t spatial = conv ? w.q.rank() - 2 : 0;
    return graph_.add_constant(graph_.value(node.inputs[2]).name + "_real",
                               real.reshaped(along_channels(static_cast<std::size_t>(real.size()), conv, spatial)));
  }

  // Weights of layers that have no such operator, before the layer.
  ir::ValueId real_weights(const ir::Node& node, const QuantizedWeights& w) {
    const std::string name = graph_.value(node.inputs[1]).name;
    const bool whole = w.params.granularity == numeric::Granularity::tensor;
    std::vector<float> scales;
    std::vector<std::int32_t> zeros;
    for (const numeric::Affine& affine : w.params.affine) {
      scales.push_back(affine.scale);
      zeros.push_back(affine.zero_point);
    }
    const Shape shape = whole ? Shape{} : Shape{static_cast<std::int64_t>(scales.size())};
    return graph_.add_node(ir::DequantizeLinear{.axis = whole ? 0 : w.params.axis},
                           {graph_.add_constant(name + "_quantized", w.q),
                            graph_.add_constant(name + "_scale", Tensor::from<float>(shape, scales)),
                            graph_.add_constant(name + "_zero_point", numeric::from_int32(shape, zeros, w.q.dtype()))},
                           name + "_dequantized");
  }

  ir::Graph graph_;
  ir::Nodes before_;
  std::map<ir::ValueId, Integers> integers_;
};

}  // namespace

Quantized quantize_dynamic(const ir::Graph& graph, const Parameters& parameters,
                           const numeric::ArithmeticSpec& arithmetic) {
  Quantized result{.graph = Rewriter(graph).run(parameters), .notes = {}};
  numeric::write_arithmetic(arithmetic, result.graph.metadata);
  return result;
}

}  // namespace halftone::quant
