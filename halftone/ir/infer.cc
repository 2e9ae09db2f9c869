#include "halftone/ir/infer.h"

#include <fmt/format.h>

#include <unordered_set>

#include "halftone/base/error.h"

namespace halftone::ir {
namespace {

void check_arity(const Graph& graph, const Node& node) {
  const Arity arity = arity_of(node.op);
  const auto count = static_cast<int>(node.inputs.size());
  bool missing = count < arity.min || count > arity.max;
  // Ops of any number of inputs have none that may be absent.
  const int needed = arity.max >= kAnyNumber ? count : arity.min;
  for (int i = 0; i < needed && i < count; ++i)
    missing |= node.inputs[static_cast<std::size_t>(i)] == kNoValue;
  if (missing)
    throw InputError("graph", fmt::format("{} has {} inputs, expected {} to {}", describe(graph, node), count,
                                          arity.min, arity.max));
}

// Ops written for float32 take one floating-point type; the others see to their types themselves.
void check_types(const Graph& graph, const Node& node) {
  if (!is_through_float32(node.op) || node.inputs.empty()) return;
  for (ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    const Value& value = graph.value(id);
    const DType first = graph.value(node.inputs[0]).dtype;
    if (!is_float(value.dtype) || value.dtype != first)
      throw UnsupportedError(describe(graph, node),
                             fmt::format("input '{}' is {}, expected {}", value.name, name_of(value.dtype),
                                         is_float(first) ? name_of(first) : "float32"));
  }
}

// Throws when even a batch of one has too many elements.
void check_size(Shape shape) {
  for (std::int64_t& dim : shape)
    if (dim == kDynamic) dim = 1;
  element_count(shape, "shape");
}

void check_values(const Graph& graph) {
  std::unordered_set<std::string_view> names;
  for (const Value& value : graph.values) {
    if (value.name.empty()) throw InputError("graph", "a value without a name");
    if (!names.insert(value.name).second)
      throw InputError("graph", fmt::format("two values are called '{}'", value.name));
    for (std::int64_t dim : value.shape)
      if (dim < 0 && dim != kDynamic)
        throw InputError("graph", fmt::format("value '{}' has dimension {}", value.name, dim));
    if (value.constant && (value.constant->dtype() != value.dtype || value.constant->shape() != value.shape))
      throw InputError("graph", fmt::format("constant '{}' differs from its declared type", value.name));
  }
}

}  // namespace

std::vector<TensorType> infer_node(const Graph& graph, const Node& node) {
  check_arity(graph, node);
  check_types(graph, node);
  std::vector<TensorType> types;
  types.reserve(node.inputs.size());
  std::vector<const TensorType*> pointers;
  for (ValueId id : node.inputs) {
    if (id == kNoValue) {
      pointers.push_back(nullptr);
      continue;
    }
    const Value& value = graph.value(id);
    types.push_back({value.dtype, value.shape, graph.constant(id)});
    pointers.push_back(&types.back());
  }
  try {
    std::vector<TensorType> outputs = infer_op(node.op, pointers);
    for (const TensorType& type : outputs) check_size(type.shape);
    return outputs;
  } catch (const InputError&) {
    throw_again_in(describe(graph, node));
  }
}

void infer_shapes(Graph& graph) {
  for (const Node& node : graph.nodes) {
    const std::vector<TensorType> types = infer_node(graph, node);
    for (std::size_t i = 0; i < node.outputs.size() && i < types.size(); ++i) {
      graph.value(node.outputs[i]).dtype = types[i].dtype;
      graph.value(node.outputs[i]).shape = types[i].shape;
    }
  }
}

void check(const Graph& graph) {
  check_values(graph);
  std::vector<bool> known(graph.values.size(), false);
  const auto define = [&](ValueId id) {
    if (id < 0 || id >= static_cast<ValueId>(graph.values.size()))
      throw InputError("graph", fmt::format("value {} does not exist", id));
    if (known[static_cast<std::size_t>(id)])
      throw InputError("graph", fmt::format("value '{}' is computed twice", graph.value(id).name));
    known[static_cast<std::size_t>(id)] = true;
  };
  for (ValueId id : graph.inputs) define(id);
  for (std::size_t v = 0; v < graph.values.size(); ++v)
    if (graph.values[v].constant) define(static_cast<ValueId>(v));
  for (const Node& node : graph.nodes) {
    for (ValueId id : node.inputs) {
      if (id == kNoValue) continue;
      if (id < 0 || id >= static_cast<ValueId>(known.size()) || !known[static_cast<std::size_t>(id)])
        throw InputError(
            "graph", fmt::format("{} reads a value that nothing before it computes", describe(graph, node)));
    }
    const std::vector<TensorType> types = infer_node(graph, node);
    if (types.size() != node.outputs.size())
      throw InputError("graph", fmt::format("{} has {} outputs, expected {}", describe(graph, node),
                                            node.outputs.size(), types.size()));
    for (std::size_t i = 0; i < types.size(); ++i) {
      define(node.outputs[i]);
      const Value& value = graph.value(node.outputs[i]);
      if (value.dtype != types[i].dtype || value.shape != types[i].shape)
        throw InputError(
            "graph", fmt::format("{} is {} {}, expected {} {}", describe(graph, node), name_of(value.dtype),
                                 to_string(value.shape), name_of(types[i].dtype), to_string(types[i].shape)));
    }
  }
  if (graph.outputs.empty()) throw InputError("graph", "no outputs");
  for (ValueId id : graph.outputs)
    if (id < 0 || id >= static_cast<ValueId>(known.size()) || !known[static_cast<std::size_t>(id)])
      throw InputError("graph", "an output is never computed");
}

}  // namespace halftone::ir
