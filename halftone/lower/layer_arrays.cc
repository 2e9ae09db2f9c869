#include "halftone/lower/layer_arrays.h"

#include <variant>

#include "halftone/base/error.h"
#include "halftone/lower/lower.h"
#include "halftone/lower/qoperators.h"

namespace halftone::lower {
namespace {

struct Operand {
  Tensor values;
  std::optional<Tensor> scale;
  std::optional<Tensor> zero_point;
  std::int64_t axis = 0;
  std::int64_t block = 0;
};

class Reader {
 public:
  Reader(const ir::Graph& graph, const qgraph::QuantizedGraph* integers)
      : graph_(graph), producers_(ir::producers(graph)), consumers_(ir::consumers(graph)), integers_(integers) {}

  std::optional<LayerArrays> read(const ir::Node& node) const {
    if (std::holds_alternative<ir::ConvInteger>(node.op)) return read_sums(node, 0);
    if (std::holds_alternative<ir::MatMulInteger>(node.op)) return read_sums(node, 1);
    if (!ir::is_linear(node.op) || node.inputs.size() < 2) return std::nullopt;
    std::optional<Operand> weight = operand(node.inputs[1]);
    if (!weight) return std::nullopt;
    LayerArrays layer{.name = node.name.empty() ? graph_.value(node.outputs[0]).name : node.name,
                      .op = ir::name_of(node.op),
                      .weight = std::move(weight->values),
                      .weight_scale = std::move(weight->scale),
                      .weight_zero_point = std::move(weight->zero_point),
                      .weight_axis = weight->axis,
                      .weight_block = weight->block};
    if (node.inputs.size() > 2) {
      if (std::optional<Operand> bias = operand(node.inputs[2])) {
        layer.bias = std::move(bias->values);
        layer.bias_scale = std::move(bias->scale);
      }
    }
    find_activations(node.name, layer);
    return layer;
  }

 private:
  const ir::Node* producer(ir::ValueId id) const {
    const int n = producers_[static_cast<std::size_t>(id)];
    return n < 0 ? nullptr : &graph_.nodes[static_cast<std::size_t>(n)];
  }

  // A constant, or one that a QuantizeLinear makes at load time.
  std::optional<Tensor> constant(ir::ValueId id) const {
    if (id == ir::kNoValue) return std::nullopt;
    if (const Tensor* value = graph_.constant(id)) return *value;
    const ir::Node* node = producer(id);
    if (node == nullptr || !std::holds_alternative<ir::QuantizeLinear>(node->op)) return std::nullopt;
    std::vector<const Tensor*> inputs;
    for (ir::ValueId input : node->inputs) {
      inputs.push_back(input == ir::kNoValue ? nullptr : graph_.constant(input));
      if (input != ir::kNoValue && inputs.back() == nullptr) return std::nullopt;
    }
    return ir::evaluate_op(node->op, inputs).at(0);
  }

  std::optional<Operand> operand(ir::ValueId id) const {
    if (std::optional<Tensor> value = constant(id)) return Operand{.values = std::move(*value)};
    const ir::Node* node = id == ir::kNoValue ? nullptr : producer(id);
    const auto* dequantize = node == nullptr ? nullptr : std::get_if<ir::DequantizeLinear>(&node->op);
    if (dequantize == nullptr) return std::nullopt;
    std::optional<Tensor> q = constant(node->inputs[0]);
    std::optional<Tensor> scale = constant(node->inputs[1]);
    if (!q || !scale) return std::nullopt;
    std::optional<Tensor> zero = node->inputs.size() > 2 ? constant(node->inputs[2]) : std::nullopt;
    if (!zero) zero = Tensor(q->dtype(), scale->shape());
    const std::int64_t axis =
        dequantize->axis + (dequantize->axis < 0 ? static_cast<std::int64_t>(q->rank()) : 0);
    return Operand{std::move(*q), std::move(scale), std::move(zero), axis, dequantize->block_size};
  }

  // The only reader of what a node gives, if it is such an op.
  template <typename Op>
  const ir::Node* reader(const ir::Node* node) const {
    if (node == nullptr) return nullptr;
    const std::vector<int>& all = consumers_[static_cast<std::size_t>(node->outputs[0])];
    if (all.size() != 1) return nullptr;
    const ir::Node& only = graph_.nodes[static_cast<std::size_t>(all[0])];
    return std::holds_alternative<Op>(only.op) ? &only : nullptr;
  }

  // The constant operand of a node, as one number or one a channel.
  std::optional<Tensor> constant_of(const ir::Node* node) const {
    if (node == nullptr) return std::nullopt;
    for (ir::ValueId id : node->inputs)
      if (const std::optional<Tensor> value = constant(id))
        return value->size() == 1 ? value->reshaped({}) : value->reshaped({value->size()});
    return std::nullopt;
  }

  // Real is sums·(s_x·s_w) + b: a Cast, a Mul with a Mul of the two scales, and an Add.
  std::optional<LayerArrays> read_sums(const ir::Node& node, std::int64_t axis) const {
    std::optional<Tensor> weight = constant(node.inputs[1]);
    if (!weight) return std::nullopt;
    LayerArrays layer{.name = node.name, .op = ir::name_of(node.op), .weight = std::move(*weight), .weight_axis = axis};
    const ir::Node* product = reader<ir::Mul>(reader<ir::Cast>(&node));
    for (ir::ValueId id : product != nullptr ? product->inputs : std::vector<ir::ValueId>{})
      if (const ir::Node* scales = producer(id); scales != nullptr && std::holds_alternative<ir::Mul>(scales->op))
        layer.weight_scale = constant_of(scales);
    if (!layer.weight_scale) return layer;
    if (node.inputs.size() > 3) layer.weight_zero_point = constant(node.inputs[3]);
    if (!layer.weight_zero_point) layer.weight_zero_point = Tensor(layer.weight.dtype(), layer.weight_scale->shape());
    layer.bias = constant_of(reader<ir::Add>(product));
    return layer;
  }

  void find_activations(const std::string& name, LayerArrays& layer) const {
    if (integers_ == nullptr) return;
    for (const qgraph::Node& node : integers_->nodes) {
      const bool linear = std::holds_alternative<qgraph::Gemm>(node.op) || std::holds_alternative<qgraph::Conv>(node.op);
      if (!linear || node.name != name) continue;
      layer.input = integers_->value(node.inputs.at(0)).grid;
      layer.output = integers_->value(node.output()).grid;
      return;
    }
  }

  const ir::Graph& graph_;
  std::vector<int> producers_;
  std::vector<std::vector<int>> consumers_;
  const qgraph::QuantizedGraph* integers_;
};

}  // namespace

std::vector<LayerArrays> layer_arrays(const ir::Graph& graph, const qgraph::QuantizedGraph* integers) {
  const ir::Graph pairs = with_pairs(graph);
  const Reader reader(pairs, integers);
  std::vector<LayerArrays> layers;
  for (const ir::Node& node : pairs.nodes)
    if (std::optional<LayerArrays> layer = reader.read(node)) layers.push_back(std::move(*layer));
  if (layers.empty())
    throw InputError("layers",
                     "none found, expected a Conv, ConvTranspose, Gemm or MatMul, or one on integers, with constant weights");
  return layers;
}

}  // namespace halftone::lower
