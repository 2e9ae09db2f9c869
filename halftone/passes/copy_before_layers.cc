#include <limits>

#include "halftone/ir/graph.h"
#include "halftone/passes/pass.h"

namespace halftone::passes {
namespace {

// The kinds of readers that a value has.
struct Readers {
  bool layers = false;  // by weights
  bool sums = false;
};

bool is_layer(const ir::Graph& graph, const ir::Node& node) {
  const bool has_weights = std::holds_alternative<ir::Conv>(node.op) || std::holds_alternative<ir::Gemm>(node.op) || std::holds_alternative<ir::MatMul>(node.op);
  return has_weights && node.inputs.size() > 1 && graph.constant(node.inputs[0]) == nullptr && graph.constant(node.inputs[1]) != nullptr;
}

}  // namespace

ir::Graph copy_before_layers(ir::Graph graph) {
  std::vector<Readers> readers(graph.values.size());
  for (const ir::Node& node : graph.nodes)
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == ir::kNoValue) continue;
      Readers& of = readers[static_cast<std::size_t>(node.inputs[i])];
      of.layers |= i == 0 && is_layer(graph, node);
      of.sums |= std::holds_alternative<ir::Add>(node.op) || std::holds_alternative<ir::Sub>(node.op);
    }
  ir::Graph result = graph;
  result.nodes.clear();
  std::vector<ir::ValueId> copies(graph.values.size(), ir::kNoValue);
  for (ir::Node node : graph.nodes) {
    if (is_layer(graph, node)) {
      const auto x = static_cast<std::size_t>(node.inputs[0]);
      if (readers[x].layers && readers[x].sums && graph.constant(node.inputs[0]) == nullptr) {
        if (copies[x] == ir::kNoValue) {
          copies[x] = result.add_node(ir::Clip{}, {node.inputs[0]}, graph.values[x].name + "_for_layers");
          result.nodes.back().name = graph.values[x].name + "_for_layers";
        }
        node.inputs[0] = copies[x];
      }
    }
    result.nodes.push_back(std::move(node));
  }
  return result;
}

}  // namespace halftone::passes
