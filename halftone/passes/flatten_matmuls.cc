#include "halftone/ir/infer.h"
#include "halftone/passes/pass.h"

namespace halftone::passes {
namespace {

// Whether it is a product of stacked rows [d0, …, K] with constant weights [K, M].
bool is_stacked(const ir::Graph& graph, const ir::Node& node) {
  if (!std::holds_alternative<ir::MatMul>(node.op)) return false;
  const Tensor* w = graph.constant(node.inputs[1]);
  const Shape& x = graph.value(node.inputs[0]).shape;
  return w != nullptr && w->dtype() == DType::float32 && w->rank() == 2 && x.size() > 2 &&
         graph.constant(node.inputs[0]) == nullptr && is_static(Shape(x.begin() + 1, x.end()));
}

}  // namespace

ir::Graph flatten_matmuls(ir::Graph graph) {
  const ir::Nodes before = std::move(graph.nodes);
  graph.nodes.clear();
  std::vector<std::vector<std::size_t>> readers(graph.values.size());
  for (std::size_t n = 0; n < before.size(); ++n)
    for (ir::ValueId id : before[n].inputs)
      if (id != ir::kNoValue) readers[static_cast<std::size_t>(id)].push_back(n);
  for (ir::ValueId id : graph.outputs) readers[static_cast<std::size_t>(id)].push_back(before.size());
  std::vector<bool> taken(before.size(), false);
  const auto shape_constant = [&](const std::string& name, const std::vector<std::int64_t>& dims) {
    return graph.add_constant(name,
                              Tensor::from<std::int64_t>({static_cast<std::int64_t>(dims.size())}, dims));
  };
  for (std::size_t n = 0; n < before.size(); ++n) {
    const ir::Node& node = before[n];
    if (taken[n]) continue;
    if (!is_stacked(graph, node)) {
      graph.nodes.push_back(node);
      continue;
    }
    const Shape x = graph.value(node.inputs[0]).shape;
    const std::int64_t channels = graph.constant(node.inputs[1])->dim(1);
    const std::string name = graph.value(node.outputs[0]).name;
    std::vector<ir::ValueId> inputs{
        graph.add_node(ir::Reshape{}, {node.inputs[0], shape_constant(name + "_rows_shape", {-1, x.back()})},
                       name + "_rows"),
        node.inputs[1]};
    // An Add of one number a column behind it is the bias.
    ir::ValueId end = node.outputs[0];
    const auto& behind = readers[static_cast<std::size_t>(end)];
    const ir::Node* sum = behind.size() == 1 && behind[0] < before.size() ? &before[behind[0]] : nullptr;
    if (sum != nullptr && std::holds_alternative<ir::Add>(sum->op)) {
      const ir::ValueId bias = sum->inputs[sum->inputs[0] == end ? 1 : 0];
      const Tensor* constant = graph.constant(bias);
      if (constant != nullptr && constant->shape() == Shape{channels}) {
        inputs.push_back(bias);
        end = sum->outputs[0];
        taken[behind[0]] = true;
      }
    }
    const ir::ValueId product = graph.add_node(ir::Gemm{}, inputs, name + "_product");
    graph.nodes.back().name = node.name;
    std::vector<std::int64_t> dims(x.begin() + 1, x.end() - 1);
    dims.insert(dims.begin(), x[0] == kDynamic ? -1 : x[0]);
    dims.push_back(channels);
    graph.nodes.push_back(
        {node.name + "_stack", ir::Reshape{}, {product, shape_constant(name + "_stack_shape", dims)}, {end}});
  }
  return ir::without_dead_nodes(graph);
}

}  // namespace halftone::passes
