// A float network, or one with Quantize/Dequantize pairs: values, and nodes in an order that can be run.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/ir/op.h"

namespace halftone::ir {

using ValueId = std::int32_t;
inline constexpr ValueId kNoValue = -1;  // an optional input that is absent

// Something computed, given or constant. Names are unique and never empty.
struct Value {
  std::string name;
  DType dtype = DType::float32;
  Shape shape;                     // kDynamic: the symbolic batch
  std::optional<Tensor> constant;  // weights and other fixed tensors
};

struct Node {
  std::string name;
  Op op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
};

// Deques: a reference to a value or a node, its name or its constant, outlives what is added behind it.
using Values = std::deque<Value>;
using Nodes = std::deque<Node>;

// Every value has one producer: a node, the caller (graph inputs), or a constant.
struct Graph {
  std::string name = "graph";
  Values values;
  Nodes nodes;  // producers before consumers
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::map<std::string, std::string> metadata;

  Value& value(ValueId id) { return values.at(static_cast<std::size_t>(id)); }
  const Value& value(ValueId id) const { return values.at(static_cast<std::size_t>(id)); }

  // A new value; `name` gets a numbered ending where it is taken.
  ValueId add_value(std::string name, DType dtype = DType::float32, Shape shape = {});
  ValueId add_constant(std::string name, Tensor tensor);
  ValueId add_input(std::string name, DType dtype, Shape shape);
  // Appends a node with one output, whose type is inferred. Returns the output.
  ValueId add_node(Op op, std::vector<ValueId> node_inputs, std::string output_name);
  // Gives a value this name; another that has it gets a numbered ending.
  void rename(ValueId id, const std::string& new_name);

  // The value's constant, or nullptr.
  const Tensor* constant(ValueId id) const;
  // nullopt when no value has this name.
  std::optional<ValueId> find(std::string_view value_name) const;
};

// How often each value is read, by nodes and as a graph output.
std::vector<int> use_counts(const Graph& graph);
// The index of the node that computes each value, or −1.
std::vector<int> producers(const Graph& graph);
// The nodes that read each value.
std::vector<std::vector<int>> consumers(const Graph& graph);

// "Conv 'conv1' -> 'conv1.out'", to name a node in messages.
std::string describe(const Graph& graph, const Node& node);

// The graph without nodes that no output depends on, unread constants, and gaps in the value numbering.
Graph without_dead_nodes(const Graph& graph);

}  // namespace halftone::ir
