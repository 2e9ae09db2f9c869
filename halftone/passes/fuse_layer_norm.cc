#include <cmath>
#include <optional>

#include "halftone/ir/infer.h"
#include "halftone/passes/pass.h"

namespace halftone::passes {
namespace {

// Finds the parts of a LayerNormalization that an exporter took apart.
class Matcher {
 public:
  explicit Matcher(const ir::Graph& graph)
      : graph_(graph), producers_(ir::producers(graph)), uses_(ir::use_counts(graph)) {}

  // The node of this kind that computes the value, or nullptr.
  template <typename Op>
  const ir::Node* node(ir::ValueId id) const {
    const int n = id == ir::kNoValue ? -1 : producers_[static_cast<std::size_t>(id)];
    if (n < 0) return nullptr;
    const ir::Node& found = graph_.nodes[static_cast<std::size_t>(n)];
    return std::holds_alternative<Op>(found.op) ? &found : nullptr;
  }

  bool has_one_reader(ir::ValueId id) const { return uses_[static_cast<std::size_t>(id)] == 1; }

  // The constant operand of a two-operand node, and the other one.
  struct Operands {
    ir::ValueId computed = ir::kNoValue;
    const Tensor* constant = nullptr;
  };
  Operands operands(const ir::Node& node) const {
    const bool first = graph_.constant(node.inputs[0]) != nullptr;
    return {node.inputs[first ? 1 : 0], graph_.constant(node.inputs[first ? 0 : 1])};
  }

  // Whether `id` is the mean of `x` over its last dimension, kept as 1.
  bool is_mean(ir::ValueId id, ir::ValueId x) const {
    const ir::Node* mean = node<ir::ReduceMean>(id);
    if (mean == nullptr || mean->inputs[0] != x) return false;
    const ir::ReducedAxes& over = std::get<ir::ReduceMean>(mean->op).over;
    const std::size_t rank = graph_.value(x).shape.size();
    return over.keepdims && over.axes.size() == 1 &&
           normalize_axis(over.axes[0], rank, "ReduceMean") == static_cast<int>(rank) - 1;
  }

  // The value whose square is `id`.
  ir::ValueId square_root(ir::ValueId id) const {
    if (const ir::Node* product = node<ir::Mul>(id);
        product != nullptr && product->inputs[0] == product->inputs[1])
      return product->inputs[0];
    const ir::Node* power = node<ir::Pow>(id);
    const Tensor* exponent = power == nullptr ? nullptr : graph_.constant(power->inputs[1]);
    const bool square = exponent != nullptr && exponent->size() == 1 &&
                        exponent->cast(DType::float64).data<double>()[0] == 2.0;
    return square ? power->inputs[0] : ir::kNoValue;
  }

  struct Normalized {
    ir::ValueId x = ir::kNoValue;
    float epsilon = 0.0F;
  };
  // (x − mean)/√(mean((x − mean)²) + ε), ending in this Div.
  std::optional<Normalized> match(const ir::Node& div) const {
    const ir::ValueId centred = div.inputs[0];
    const ir::Node* sub = node<ir::Sub>(centred);
    const ir::Node* root = node<ir::Sqrt>(div.inputs[1]);
    if (sub == nullptr || root == nullptr || !is_mean(sub->inputs[1], sub->inputs[0])) return std::nullopt;
    const ir::Node* sum = node<ir::Add>(root->inputs[0]);
    if (sum == nullptr) return std::nullopt;
    const auto [variance, epsilon] = operands(*sum);
    if (epsilon == nullptr || epsilon->size() != 1 || epsilon->dtype() != DType::float32) return std::nullopt;
    const ir::Node* mean = node<ir::ReduceMean>(variance);
    if (mean == nullptr || !is_mean(variance, mean->inputs[0]) || square_root(mean->inputs[0]) != centred)
      return std::nullopt;
    return Normalized{sub->inputs[0], epsilon->data<float>()[0]};
  }

 private:
  const ir::Graph& graph_;
  std::vector<int> producers_;
  std::vector<int> uses_;
};

bool is_last_dimension(const Tensor* factors, std::int64_t size) {
  return factors != nullptr && factors->dtype() == DType::float32 && factors->shape() == Shape{size};
}

}  // namespace

ir::Graph fuse_layer_norm(ir::Graph graph) {
  const Matcher matcher(graph);
  const std::vector<std::vector<int>> consumers = ir::consumers(graph);
  ir::Nodes nodes = graph.nodes;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (!std::holds_alternative<ir::Div>(nodes[n].op)) continue;
    const auto found = matcher.match(nodes[n]);
    if (!found || graph.value(found->x).shape.back() == kDynamic) continue;
    const Shape shape = graph.value(found->x).shape;
    const std::string name = graph.value(nodes[n].outputs[0]).name;
    const std::vector<float> ones(static_cast<std::size_t>(shape.back()), 1.0F);
    std::vector<ir::ValueId> inputs{found->x, ir::kNoValue};
    // The Mul and Add behind it, when each is the only reader, are its scale and bias.
    std::size_t last = n;
    for (std::size_t i : {1, 2}) {
      const auto& readers = consumers[static_cast<std::size_t>(nodes[last].outputs[0])];
      if (readers.size() != 1 || !matcher.has_one_reader(nodes[last].outputs[0])) break;
      const ir::Node& reader = graph.nodes[static_cast<std::size_t>(readers[0])];
      const bool fits =
          i == 1 ? std::holds_alternative<ir::Mul>(reader.op) : std::holds_alternative<ir::Add>(reader.op);
      if (!fits || !is_last_dimension(matcher.operands(reader).constant, shape.back())) break;
      const bool first = graph.constant(reader.inputs[0]) != nullptr;
      inputs.resize(i + 1, ir::kNoValue);
      inputs[i] = reader.inputs[first ? 0 : 1];
      last = static_cast<std::size_t>(readers[0]);
    }
    if (inputs[1] == ir::kNoValue)
      inputs[1] = graph.add_constant(name + "_scale", Tensor::from<float>({shape.back()}, ones));
    nodes[last] = {nodes[n].name, ir::LayerNormalization{.axis = -1, .epsilon = found->epsilon}, inputs,
                   nodes[last].outputs};
  }
  graph.nodes = std::move(nodes);
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::passes
