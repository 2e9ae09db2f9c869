#include <cmath>
#include <optional>

#include "halftone/ir/infer.h"
#include "halftone/passes/pass.h"

namespace halftone::passes {
namespace {

// y = factor·x + bias, one pair a channel.
struct ChannelFactors {
  ir::ValueId x = ir::kNoValue;
  std::vector<double> factor;
  std::vector<double> bias;
};

// The constant as one number a channel of x: its shape is [1…, C, 1…] with C or 1 in dimension 1 of x.
std::optional<std::vector<double>> by_channel(const Tensor* constant, const Shape& x) {
  if (constant == nullptr || constant->dtype() != DType::float32 || constant->rank() > x.size())
    return std::nullopt;
  Shape aligned(x.size() - constant->rank(), 1);
  aligned.insert(aligned.end(), constant->shape().begin(), constant->shape().end());
  for (std::size_t d = 0; d < aligned.size(); ++d)
    if (aligned[d] != 1 && (d != 1 || aligned[d] != x[1])) return std::nullopt;
  const auto values = constant->data<float>();
  std::vector<double> result(static_cast<std::size_t>(x[1]));
  for (std::size_t c = 0; c < result.size(); ++c) result[c] = values[values.size() == 1 ? 0 : c];
  return result;
}

std::optional<ChannelFactors> of_batch_norm(const ir::Graph& graph, const ir::Node& node,
                                            const ir::BatchNormalization& norm) {
  if (norm.training) return std::nullopt;
  const Tensor* statistics[4];
  for (std::size_t i = 0; i < 4; ++i) {
    statistics[i] = graph.constant(node.inputs[i + 1]);
    if (statistics[i] == nullptr) return std::nullopt;
  }
  ChannelFactors result{.x = node.inputs[0]};
  const auto at = [&](int i, std::size_t c) { return double{statistics[i]->data<float>()[c]}; };
  for (std::size_t c = 0; c < static_cast<std::size_t>(statistics[0]->size()); ++c) {
    result.factor.push_back(at(0, c) / std::sqrt(at(3, c) + norm.epsilon));
    result.bias.push_back(at(1, c) - at(2, c) * result.factor.back());
  }
  return result;
}

// x ∘ constant or constant ∘ x for + − · and x / constant.
std::optional<ChannelFactors> of_arithmetic(const ir::Graph& graph, const ir::Node& node) {
  const bool first = graph.constant(node.inputs[0]) != nullptr;
  const ir::ValueId x = node.inputs[first ? 1 : 0];
  const auto constant = by_channel(graph.constant(node.inputs[first ? 0 : 1]), graph.value(x).shape);
  if (!constant) return std::nullopt;
  const std::vector<double> ones(constant->size(), 1.0);
  const std::vector<double> zeros(constant->size(), 0.0);
  if (std::holds_alternative<ir::Mul>(node.op)) return ChannelFactors{x, *constant, zeros};
  if (std::holds_alternative<ir::Add>(node.op)) return ChannelFactors{x, ones, *constant};
  ChannelFactors result{x, ones, *constant};
  if (std::holds_alternative<ir::Sub>(node.op)) {
    for (double& v : first ? result.factor : result.bias) v = -v;
    return result;
  }
  if (!std::holds_alternative<ir::Div>(node.op) || first) return std::nullopt;
  for (std::size_t c = 0; c < ones.size(); ++c) result.factor[c] = 1.0 / (*constant)[c];
  result.bias = zeros;
  return result;
}

std::optional<ChannelFactors> factors_of(const ir::Graph& graph, const ir::Node& node) {
  const bool two =
      node.inputs.size() == 2 && node.inputs[0] != ir::kNoValue && node.inputs[1] != ir::kNoValue;
  const auto* norm = std::get_if<ir::BatchNormalization>(&node.op);
  if (norm == nullptr && !two) return std::nullopt;
  const Shape& y = graph.value(node.outputs[0]).shape;
  if ((y.size() != 3 && y.size() != 4) || graph.value(node.outputs[0]).dtype != DType::float32 ||
      !is_static(Shape(y.begin() + 1, y.end())))
    return std::nullopt;
  auto result = norm != nullptr ? of_batch_norm(graph, node, *norm) : of_arithmetic(graph, node);
  if (!result || graph.constant(result->x) != nullptr || graph.value(result->x).shape != y)
    return std::nullopt;
  for (std::size_t c = 0; c < result->factor.size(); ++c)
    if (!std::isfinite(static_cast<float>(result->factor[c])) ||
        !std::isfinite(static_cast<float>(result->bias[c])))
      return std::nullopt;
  return result;
}

Tensor as_floats(const std::vector<double>& values, Shape shape) {
  return Tensor::from<float>(std::move(shape), std::vector<float>(values.begin(), values.end()));
}

}  // namespace

ir::Graph convolve_channel_factors(ir::Graph graph) {
  for (ir::Node& node : graph.nodes) {
    const auto factors = factors_of(graph, node);
    if (!factors) continue;
    const std::string name = graph.value(node.outputs[0]).name;
    const std::size_t space = graph.value(factors->x).shape.size() - 2;
    const auto channels = static_cast<std::int64_t>(factors->factor.size());
    Shape shape{channels, 1};
    shape.resize(2 + space, 1);
    const ir::ValueId w = graph.add_constant(name + "_factor", as_floats(factors->factor, shape));
    const ir::ValueId b = graph.add_constant(name + "_bias", as_floats(factors->bias, {channels}));
    node.op = ir::Conv{.window = {.kernel = std::vector<std::int64_t>(space, 1)}, .groups = channels};
    node.inputs = {factors->x, w, b};
  }
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::passes
