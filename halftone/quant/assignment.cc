#include "halftone/quant/assignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "halftone/base/error.h"
#include "halftone/quant/float_end.h"

namespace halftone::quant {
namespace {

constexpr int kTableBits = 8;

std::vector<std::size_t> linear_nodes(const Plan& plan) {
  std::vector<std::size_t> nodes;
  for (std::size_t n = 0; n < plan.role.size(); ++n)
    if (plan.role[n] == Role::linear) nodes.push_back(n);
  return nodes;
}

bool is_layer(const ir::Graph& graph, const LayerRule& rule, const std::vector<std::size_t>& linear,
              std::size_t n) {
  if (rule.layer == "<first>") return n == linear.front();
  if (rule.layer == "<last>") return n == linear.back();
  const ir::Node& node = graph.nodes[n];
  return matches(rule.layer, node.name) || matches(rule.layer, graph.value(node.inputs[1]).name);
}

// The network's outputs, and what its float end reads them off.
std::vector<ir::ValueId> outputs_of(const ir::Graph& graph) {
  std::vector<ir::ValueId> outputs = graph.outputs;
  const std::vector<bool> end = float_end(graph);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (end[n]) outputs.push_back(graph.nodes[n].inputs[0]);
  return outputs;
}

// Whether the rule says where a value stands, and not its name: there may be none that is quantized.
bool is_place(const TensorRule& rule) { return rule.tensor == "<input>" || rule.tensor == "<output>" || rule.tensor == "<last>"; }

bool is_tensor(const ir::Graph& graph, const TensorRule& rule, const std::vector<std::size_t>& linear,
               ir::ValueId id) {
  const auto among = [&](const std::vector<ir::ValueId>& ids) {
    return std::ranges::find(ids, id) != ids.end();
  };
  if (rule.tensor == "<input>") return among(graph.inputs);
  if (rule.tensor == "<output>") return among(outputs_of(graph));
  if (rule.tensor == "<last>") return !linear.empty() && graph.nodes[linear.back()].inputs[0] == id;
  return matches(rule.tensor, graph.value(id).name);
}

// Whether a rule names a node without weights, which another rule would keep float.
bool names_other(const ir::Graph& graph, const LayerRule& rule, const Plan& without) {
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (without.role[n] != Role::linear && without.role[n] != Role::fused && matches(rule.layer, graph.nodes[n].name)) return true;
  return false;
}

// `without`: the plan as it is without rules, whose layers with weights are the ones that rules count.
void assign_weights(Assignment& result, const ir::Graph& graph, const Recipe& recipe, const Plan& without) {
  result.weights.assign(graph.nodes.size(), recipe.weights);
  result.weights_ruled.assign(graph.nodes.size(), false);
  const bool some_stay = std::ranges::any_of(recipe.layers, &LayerRule::stays_float);
  const std::vector<std::size_t> linear = linear_nodes(without);
  for (const LayerRule& rule : recipe.layers) {
    bool found = some_stay && names_other(graph, rule, without);
    for (std::size_t n : linear) {
      if (!is_layer(graph, rule, linear, n)) continue;
      result.weights[n] = rule.weights;
      result.weights_ruled[n] = true;
      found = true;
    }
    if (!found)
      throw UsageError("recipe", fmt::format("layer '{}' matches no layer with weights", rule.layer));
  }
}

// By value: whether some node that `reads` reads it.
template <typename F>
std::vector<bool> read_by(const ir::Graph& graph, const F& reads) {
  std::vector<bool> result(graph.values.size(), false);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (ir::ValueId id : graph.nodes[n].inputs)
      if (id != ir::kNoValue && reads(n)) result[static_cast<std::size_t>(id)] = true;
  return result;
}

// Values that nothing reads but nodes that `reads`, alone with their scale.
template <typename F>
std::vector<std::size_t> read_only_by(const ir::Graph& graph, const Plan& plan, const F& reads) {
  std::map<ir::ValueId, int> of_class;
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (plan.quantized[v]) ++of_class[plan.scale_class[v]];
  const std::vector<bool> read = read_by(graph, reads);
  std::vector<bool> otherwise = read_by(graph, [&](std::size_t n) { return !reads(n); });
  for (ir::ValueId id : graph.outputs) otherwise[static_cast<std::size_t>(id)] = true;
  std::vector<std::size_t> result;
  for (std::size_t v = 0; v < read.size(); ++v)
    if (read[v] && !otherwise[v] && plan.quantized[v] && of_class[plan.scale_class[v]] == 1) result.push_back(v);
  return result;
}

// At least so many bits for values that nothing multiplies: 8 for what tables alone read, the recipe's for sums and pools too.
void widen_values_without_products(Assignment& result, const ir::Graph& graph, const Recipe& recipe) {
  const auto is_table = [&](std::size_t n) { return result.plan.role[n] == Role::table; };
  const auto has_no_products = [&](std::size_t n) {
    return is_table(n) || (result.plan.role[n] == Role::compute && !std::holds_alternative<ir::Mul>(graph.nodes[n].op));
  };
  const auto widen = [&](std::size_t v, int bits) { result.activations[v].format.bits = std::max(result.activations[v].format.bits, bits); };
  for (std::size_t v : read_only_by(graph, result.plan, is_table)) widen(v, kTableBits);
  if (recipe.sum_bits > 0)
    for (std::size_t v : read_only_by(graph, result.plan, has_no_products)) widen(v, recipe.sum_bits);
}

void assign_activations(Assignment& result, const ir::Graph& graph, const Recipe& recipe, const Plan& without) {
  const std::vector<std::size_t> linear = linear_nodes(without);
  std::map<ir::ValueId, const ActivationRecipe*> of_class;
  for (const TensorRule& rule : recipe.tensors) {
    bool found = false;
    for (std::size_t v = 0; v < graph.values.size(); ++v) {
      if (!result.plan.quantized[v] || !is_tensor(graph, rule, linear, static_cast<ir::ValueId>(v))) continue;
      of_class[result.plan.scale_class[v]] = &rule.activations;
      found = true;
    }
    if (!found && !is_place(rule))
      throw UsageError("recipe", fmt::format("tensor '{}' matches no quantized value", rule.tensor));
  }
  result.activations.assign(graph.values.size(), recipe.activations);
  widen_values_without_products(result, graph, recipe);
  result.activation_ruled.assign(graph.values.size(), false);
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (const auto at = of_class.find(result.plan.scale_class[v]); at != of_class.end()) {
      result.activations[v] = *at->second;
      result.activation_ruled[v] = true;
    }
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;  // the last one, and how much of the text it has taken
  std::size_t taken = 0;
  for (std::size_t t = 0; t < text.size();) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<bool> keeps_float(const ir::Graph& graph, const Recipe& recipe) {
  if (std::ranges::none_of(recipe.layers, &LayerRule::stays_float)) return {};
  const Plan without = plan(graph);
  const std::vector<std::size_t> linear = linear_nodes(without);
  std::vector<bool> kept(graph.nodes.size(), false);
  for (const LayerRule& rule : recipe.layers) {
    bool found = false;
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
      const bool has_weights = without.role[n] == Role::linear;
      if (has_weights ? !is_layer(graph, rule, linear, n) : !matches(rule.layer, graph.nodes[n].name)) continue;
      if (without.role[n] == Role::fused) continue;
      kept[n] = rule.stays_float;
      found = true;
    }
    if (!found && rule.stays_float)
      throw UsageError("recipe", fmt::format("layer '{}', which is to stay float, is none of the network's, expected the name of a layer, or "
                                             "of another node but a ReLU or Clip, which go with what they end", rule.layer));
  }
  const std::vector<int> producer = ir::producers(graph);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (without.role[n] == Role::fused)
      kept[n] = kept[static_cast<std::size_t>(producer[static_cast<std::size_t>(graph.nodes[n].inputs[0])])];
  return kept;
}

Assignment assign(const ir::Graph& graph, const Recipe& recipe) {
  check(recipe);
  const std::vector<bool> kept = keeps_float(graph, recipe);
  Assignment result{.plan = plan(graph, kept)};
  const Plan without = kept.empty() ? result.plan : plan(graph);
  if (recipe.weight_only) result.plan.quantized.assign(graph.values.size(), false);
  assign_weights(result, graph, recipe, without);
  assign_activations(result, graph, recipe, without);
  return result;
}

}  // namespace halftone::quant
