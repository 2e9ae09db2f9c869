#include "halftone/quant/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "halftone/base/error.h"
#include "halftone/quant/assignment.h"

namespace halftone::quant {
namespace {

// The union of the ranges of all values that share a scale, by their representative.
std::map<ir::ValueId, numeric::Range> class_ranges(const ir::Graph& graph, const Plan& plan,
                                                   const RangeTable& ranges) {
  std::map<ir::ValueId, numeric::Range> result;
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    if (!plan.quantized[v]) continue;
    const std::string& name = graph.values[v].name;
    const auto range = ranges.find(name);
    if (range == ranges.end()) throw InputError("quantize", fmt::format("no range for value '{}'", name));
    const auto [at, added] = result.try_emplace(plan.scale_class[v], range->second);
    at->second.lo = std::min(at->second.lo, range->second.lo);
    at->second.hi = std::max(at->second.hi, range->second.hi);
  }
  return result;
}

ActivationParams activation_params(const std::string& name, const numeric::Range& range,
                                   const ActivationRecipe& recipe) {
  try {
    return {recipe.format,
            numeric::affine_from_range(range, recipe.format, recipe.scheme, recipe.power_of_two)};
  } catch (const InputError& error) {
    throw InputError(name, error.what());
  }
}

std::optional<float> input_scale(const Parameters& parameters, const ir::Node& node) {
  const auto& x = parameters.activations[static_cast<std::size_t>(node.inputs[0])];
  return x ? std::optional(x->affine.scale) : std::nullopt;
}

}  // namespace

Parameters choose_parameters(const ir::Graph& graph, const RangeTable& ranges, const Recipe& recipe) {
  Assignment assigned = assign(graph, recipe);
  Parameters result;
  result.plan = std::move(assigned.plan);
  result.activations.resize(graph.values.size());
  result.weights.resize(graph.nodes.size());
  const auto of_class = class_ranges(graph, result.plan, ranges);
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (result.plan.quantized[v])
      result.activations[v] = activation_params(
          graph.values[v].name, of_class.at(result.plan.scale_class[v]), assigned.activations[v]);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const ir::Node& node = graph.nodes[n];
    if (result.plan.role[n] != Role::linear) continue;
    try {
      result.weights[n] = quantize_layer(graph, node, assigned.weights[n], input_scale(result, node));
    } catch (const InputError& error) {
      throw InputError(ir::describe(graph, node), error.what());
    }
  }
  return result;
}

}  // namespace halftone::quant
