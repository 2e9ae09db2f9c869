#include "halftone/ir/graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/ir/infer.h"

namespace halftone::ir {

namespace {

std::string unused_name(const Graph& graph, const std::string& wanted) {
  std::string unused = wanted;
  for (int i = 1; graph.find(unused); ++i) unused = fmt::format("{}_{}", wanted, i);
  return unused;
}

}  // namespace

ValueId Graph::add_value(std::string value_name, DType dtype, Shape shape) {
  values.push_back({unused_name(*this, value_name), dtype, std::move(shape), std::nullopt});
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  const ValueId id = add_value(std::move(value_name), tensor.dtype(), tensor.shape());
  value(id).constant = std::move(tensor);
  return id;
}

ValueId Graph::add_input(std::string value_name, DType dtype, Shape shape) {
  inputs.push_back(add_value(std::move(value_name), dtype, std::move(shape)));
  return inputs.back();
}

ValueId Graph::add_node(Op op, std::vector<ValueId> node_inputs, std::string output_name) {
  Node node{.name = output_name, .op = std::move(op), .inputs = std::move(node_inputs), .outputs = {}};
  const TensorType type = infer_node(*this, node).at(0);
  node.outputs = {add_value(std::move(output_name), type.dtype, type.shape)};
  nodes.push_back(std::move(node));
  return nodes.back().outputs[0];
}

void Graph::rename(ValueId id, const std::string& new_name) {
  if (value(id).name == new_name) return;
  if (const auto other = find(new_name)) value(*other).name = unused_name(*this, new_name);
  value(id).name = new_name;
}

const Tensor* Graph::constant(ValueId id) const {
  if (id == kNoValue || !value(id).constant) return nullptr;
  return &*value(id).constant;
}

std::optional<ValueId> Graph::find(std::string_view value_name) const {
  const auto it = std::ranges::find(values, value_name, &Value::name);
  if (it == values.end()) return std::nullopt;
  return static_cast<ValueId>(it - values.begin());
}

std::vector<int> use_counts(const Graph& graph) {
  std::vector<int> counts(graph.values.size(), 0);
  for (const Node& node : graph.nodes)
    for (ValueId id : node.inputs)
      if (id != kNoValue) ++counts[static_cast<std::size_t>(id)];
  for (ValueId id : graph.outputs) ++counts[static_cast<std::size_t>(id)];
  return counts;
}

std::vector<int> producers(const Graph& graph) {
  std::vector<int> result(graph.values.size(), -1);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (ValueId id : graph.nodes[n].outputs) result[static_cast<std::size_t>(id)] = static_cast<int>(n);
  return result;
}

std::vector<std::vector<int>> consumers(const Graph& graph) {
  std::vector<std::vector<int>> result(graph.values.size());
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    for (ValueId id : graph.nodes[n].inputs)
      if (id != kNoValue) result[static_cast<std::size_t>(id)].push_back(static_cast<int>(n));
  return result;
}

std::string describe(const Graph& graph, const Node& node) {
  const bool known = !node.outputs.empty() && node.outputs[0] >= 0 &&
                     node.outputs[0] < static_cast<ValueId>(graph.values.size());
  const std::string output = known ? fmt::format(" -> '{}'", graph.value(node.outputs[0]).name) : "";
  return fmt::format("{} '{}'{}", name_of(node.op), node.name, output);
}

Graph without_dead_nodes(const Graph& graph) {
  std::vector<bool> live(graph.values.size(), false);
  for (ValueId id : graph.inputs) live[static_cast<std::size_t>(id)] = true;
  for (ValueId id : graph.outputs) live[static_cast<std::size_t>(id)] = true;
  std::vector<bool> kept(graph.nodes.size(), false);
  for (std::size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    kept[n] =
        std::ranges::any_of(node.outputs, [&](ValueId id) { return live[static_cast<std::size_t>(id)]; });
    if (!kept[n]) continue;
    for (ValueId id : node.inputs)
      if (id != kNoValue) live[static_cast<std::size_t>(id)] = true;
    for (ValueId id : node.outputs) live[static_cast<std::size_t>(id)] = true;
  }
  Graph result;
  result.name = graph.name;
  result.metadata = graph.metadata;
  std::vector<ValueId> renumbered(graph.values.size(), kNoValue);
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    if (!live[v]) continue;
    renumbered[v] = static_cast<ValueId>(result.values.size());
    result.values.push_back(graph.values[v]);
  }
  const auto renumber = [&](std::vector<ValueId> ids) {
    for (ValueId& id : ids)
      if (id != kNoValue) id = renumbered[static_cast<std::size_t>(id)];
    return ids;
  };
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    if (kept[n]) {
      const Node& node = graph.nodes[n];
      result.nodes.push_back({node.name, node.op, renumber(node.inputs), renumber(node.outputs)});
    }
  result.inputs = renumber(graph.inputs);
  result.outputs = renumber(graph.outputs);
  return result;
}

}  // namespace halftone::ir
