#include "halftone/analysis/mixed_precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "halftone/base/error.h"
#include "halftone/ir/work.h"

namespace halftone::analysis {
namespace {

class Grouping {
 public:
  Grouping(const ir::Graph& graph, const quant::Recipe& recipe, const std::vector<int>& weight_bits,
           const std::vector<int>& input_bits)
      : graph_(graph),
        run_(ir::in_smallest_run(graph)),
        batch_(ir::fixed_batch(graph)),
        assigned_(quant::assign(graph, recipe)),
        weight_bits_(weight_bits),
        input_bits_(input_bits) {}

  std::vector<MixedGroup> run() const {
    std::vector<MixedGroup> groups;
    std::map<ir::ValueId, std::size_t> of_class;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (assigned_.plan.role[n] != quant::Role::linear) continue;
      const ir::ValueId x = graph_.nodes[n].inputs[0];
      const auto [at, added] =
          of_class.try_emplace(assigned_.plan.scale_class[static_cast<std::size_t>(x)], groups.size());
      if (added) groups.push_back(group_of(x));
      groups[at->second].layers.push_back(layer_of(n));
    }
    return groups;
  }

 private:
  MixedGroup group_of(ir::ValueId x) const {
    const auto at = static_cast<std::size_t>(x);
    MixedGroup group{.rule = "", .inputs = assigned_.activations[at], .bits = {}, .layers = {}};
    group.bits = {group.inputs.format.bits};
    if (assigned_.activation_ruled[at] || input_bits_ == group.bits) return group;
    group.rule = graph_.value(x).name;
    group.bits = input_bits_;
    for (std::size_t v = 0; v < graph_.values.size(); ++v)
      if (assigned_.plan.quantized[v] && quant::matches(group.rule, graph_.values[v].name) &&
          assigned_.plan.scale_class[v] != assigned_.plan.scale_class[at])
        throw UnsupportedError(group.rule, "the value's name matches others too, expected a name of its own");
    return group;
  }

  LayerWork of_one_sample(LayerWork work) const {
    work.inputs /= batch_;
    work.multiply_adds /= batch_;
    return work;
  }

  MixedLayer layer_of(std::size_t n) const {
    const ir::Node& node = graph_.nodes[n];
    const quant::WeightRecipe& weights = assigned_.weights[n];
    MixedLayer layer{.node = n,
                     .name = node.name.empty() ? graph_.value(node.inputs[1]).name : node.name,
                     .rule = "",
                     .weights = weights,
                     .bits = {quant::bits_of(weights)},
                     .work = of_one_sample(work_of(run_, run_.nodes[n], weights))};
    if (assigned_.weights_ruled[n]) return layer;
    layer.rule = own_name(n);
    layer.bits = weight_bits_;
    return layer;
  }

  // The name of the node or of its weights, whichever matches no other layer.
  std::string own_name(std::size_t n) const {
    const ir::Node& node = graph_.nodes[n];
    for (const std::string& name : {node.name, graph_.value(node.inputs[1]).name})
      if (!name.empty() && is_own(name)) return name;
    throw UnsupportedError(ir::describe(graph_, node), "other layers have its name, expected one of its own");
  }

  bool is_own(const std::string& name) const {
    int found = 0;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (assigned_.plan.role[n] != quant::Role::linear) continue;
      const ir::Node& node = graph_.nodes[n];
      const bool fits =
          quant::matches(name, node.name) || quant::matches(name, graph_.value(node.inputs[1]).name);
      found += fits ? 1 : 0;
    }
    return found == 1;
  }

  const ir::Graph& graph_;
  const ir::Graph run_;  // of batch_ samples
  const std::int64_t batch_;
  quant::Assignment assigned_;
  const std::vector<int>& weight_bits_;
  const std::vector<int>& input_bits_;
};

}  // namespace

std::vector<MixedGroup> mixed_groups(const ir::Graph& graph, const quant::Recipe& recipe,
                                     const std::vector<int>& weight_bits,
                                     const std::vector<int>& input_bits) {
  return Grouping(graph, recipe, weight_bits, input_bits).run();
}

int start_bits(const MixedLayer& layer) { return quant::bits_of(layer.weights); }
int start_bits(const MixedGroup& group) { return group.inputs.format.bits; }

quant::Recipe with_bits(const quant::Recipe& recipe, const MixedLayer& layer, int bits) {
  quant::Recipe result = recipe;
  result.layers.push_back({layer.rule, layer.weights});
  result.layers.back().weights.format.bits = bits;
  return result;
}

quant::Recipe with_bits(const quant::Recipe& recipe, const MixedGroup& group, int bits) {
  quant::Recipe result = recipe;
  result.tensors.push_back({group.rule, group.inputs});
  result.tensors.back().activations.format.bits = bits;
  return result;
}

quant::Recipe with_bits(const quant::Recipe& recipe, const std::vector<MixedGroup>& groups,
                        const std::vector<GroupChoice>& choices) {
  quant::Recipe result = recipe;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const MixedGroup& group = groups[g];
    if (!group.rule.empty()) result = with_bits(result, group, group.bits[choices[g].input]);
    for (std::size_t l = 0; l < group.layers.size(); ++l) {
      const MixedLayer& layer = group.layers[l];
      if (!layer.rule.empty()) result = with_bits(result, layer, layer.bits[choices[g].weights[l]]);
    }
  }
  return result;
}

CostOf counted(Budget budget) {
  return [budget](const MixedGroup&, const MixedLayer& layer, int weight_bits, int input_bits) {
    return cost_of(budget, layer.work, weight_bits, input_bits);
  };
}

double start_cost(const CostOf& cost, const std::vector<MixedGroup>& groups) {
  double sum = 0.0;
  for (const MixedGroup& group : groups)
    for (const MixedLayer& layer : group.layers) sum += cost(group, layer, start_bits(layer), start_bits(group));
  return sum;
}

}  // namespace halftone::analysis
