#include "halftone/ir/interpreter.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/ir/liveness.h"

namespace halftone::ir {
namespace {

std::vector<Tensor> evaluate_node(const Graph& graph, const Node& node, const std::vector<Tensor>& computed) {
  std::vector<const Tensor*> inputs;
  for (ValueId id : node.inputs) {
    const Tensor* constant = graph.constant(id);
    inputs.push_back(id == kNoValue        ? nullptr
                     : constant != nullptr ? constant
                                           : &computed[static_cast<std::size_t>(id)]);
  }
  try {
    return evaluate_op(node.op, inputs);
  } catch (const InputError&) {
    throw_again_in(describe(graph, node));
  }
}

}  // namespace

void check_inputs(const Graph& graph, std::span<const Tensor> tensors) {
  if (tensors.size() != graph.inputs.size())
    throw InputError("run", fmt::format("{} inputs, expected {}", tensors.size(), graph.inputs.size()));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Value& value = graph.value(graph.inputs[i]);
    const Shape& shape = tensors[i].shape();
    bool fits = tensors[i].dtype() == value.dtype && shape.size() == value.shape.size();
    for (std::size_t d = 0; fits && d < shape.size(); ++d)
      fits = value.shape[d] == kDynamic || value.shape[d] == shape[d];
    if (!fits)
      throw InputError(
          "run", fmt::format("input '{}', got {} {}, expected {} {}", value.name, name_of(tensors[i].dtype()),
                             to_string(shape), name_of(value.dtype), to_string(value.shape)));
  }
}

Interpreter::Interpreter(Graph graph) : graph_(std::move(graph)) {
  Nodes rest;
  for (Node& node : graph_.nodes) {
    const bool fixed = std::ranges::all_of(
        node.inputs, [&](ValueId id) { return id == kNoValue || graph_.constant(id) != nullptr; });
    if (!fixed) {
      rest.push_back(std::move(node));
      continue;
    }
    std::vector<Tensor> results = evaluate_node(graph_, node, {});
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      graph_.value(node.outputs[i]).constant = std::move(results[i]);
  }
  graph_.nodes = std::move(rest);
  last_reader_ = last_readers(graph_);
}

std::vector<Tensor> Interpreter::run(std::span<const Tensor> inputs, const Visitor& visit) const {
  check_inputs(graph_, inputs);
  std::vector<Tensor> computed(graph_.values.size());
  const auto store = [&](ValueId id, Tensor tensor) {
    if (visit) visit(graph_.value(id).name, tensor);
    computed[static_cast<std::size_t>(id)] = std::move(tensor);
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) store(graph_.inputs[i], inputs[i]);
  for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
    const Node& node = graph_.nodes[n];
    std::vector<Tensor> results = evaluate_node(graph_, node, computed);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) store(node.outputs[i], std::move(results[i]));
    for (ValueId id : node.inputs)
      if (id != kNoValue && last_reader_[static_cast<std::size_t>(id)] == n)
        computed[static_cast<std::size_t>(id)] = Tensor();
  }
  std::vector<Tensor> outputs;
  for (ValueId id : graph_.outputs) {
    const Tensor* constant = graph_.constant(id);
    outputs.push_back(constant != nullptr ? *constant : computed[static_cast<std::size_t>(id)]);
  }
  return outputs;
}

}  // namespace halftone::ir
