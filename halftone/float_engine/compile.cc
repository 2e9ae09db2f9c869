#include "halftone/float_engine/compile.h"

#include <algorithm>
#include <new>

#include "halftone/float_engine/emit.h"
#include "halftone/float_engine/fuse.h"
#include "halftone/ir/infer.h"

namespace halftone::float_engine {
namespace {

template <typename Op>
bool emit(Builder&, const Op&, const Work&) {
  return false;
}

// Whether the op only gives input 0 another shape.
bool renames(const ir::Op& op) {
  return std::holds_alternative<ir::Flatten>(op) || std::holds_alternative<ir::Reshape>(op) ||
         std::holds_alternative<ir::Identity>(op) || std::holds_alternative<ir::Squeeze>(op) ||
         std::holds_alternative<ir::Unsqueeze>(op);
}

bool try_primitive(Builder& builder, const Work& work) {
  const ir::Node& node = work.node;
  if (node.outputs.size() != 1 || !builder.has_slots(work.output)) return false;
  if (renames(node.op))
    return builder.has_slots(node.inputs[0]) && builder.rename(node.inputs[0], work.output);
  const bool takes_all = std::ranges::all_of(
      node.inputs, [&](ir::ValueId id) { return id == ir::kNoValue || builder.has_slots(id); });
  if (!takes_all) return false;
  try {
    if (const auto algorithm = binary_of(node.op)) return emit_binary(builder, *algorithm, work);
    if (const auto functions = eltwise_of(node.op); !functions.empty())
      return emit_eltwise(builder, functions, work);
    return std::visit([&](const auto& op) { return emit(builder, op, work); }, node.op);
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    return false;  // oneDNN has no implementation; nothing was added yet
  }
}

// The whole group as one primitive.
bool try_group(Builder& builder, const Group& group) {
  const ir::Graph& graph = builder.graph();
  Work work{.node = graph.nodes[group[0]], .output = graph.nodes[group.back()].outputs.at(0)};
  ir::ValueId before = work.node.outputs.at(0);
  for (std::size_t i = 1; i < group.size(); ++i) {
    const ir::Node& node = graph.nodes[group[i]];
    if (std::holds_alternative<ir::Add>(node.op))
      work.after.added = node.inputs[node.inputs[0] == before ? 1 : 0];
    else
      work.after.activation = eltwise_of(node.op);
    before = node.outputs[0];
  }
  if (work.after.added != ir::kNoValue && !builder.has_slots(work.after.added)) return false;
  return try_primitive(builder, work);
}

void finish_nodes(Builder& builder, const Group& group) {
  for (const std::size_t n : group)
    for (const ir::ValueId id : builder.graph().nodes[n].inputs)
      if (id != ir::kNoValue) builder.done(id);
}

void add_group(Builder& builder, const Group& group) {
  if (try_group(builder, group)) {
    finish_nodes(builder, group);
    return;
  }
  for (const std::size_t n : group) {
    if (group.size() == 1 || !try_group(builder, {n})) builder.evaluate(n);
    finish_nodes(builder, {n});
  }
}

ir::Graph with_input_shapes(ir::Graph graph, const std::vector<Shape>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) graph.value(graph.inputs[i]).shape = inputs[i];
  ir::infer_shapes(graph);
  return graph;
}

}  // namespace

std::unique_ptr<Program> compile(const ir::Graph& dynamic, const std::vector<Shape>& inputs, Visits visits,
                                 Constants& constants) {
  const ir::Graph graph = with_input_shapes(dynamic, inputs);
  Builder builder(graph, constants);
  const bool shows = visits == Visits::every;
  const bool watches = visits == Visits::outputs;
  for (const ir::ValueId input : graph.inputs) {
    if (shows) builder.show(input);
    if (watches) builder.watch(input);
  }
  for (const Group& group : shows ? separate(graph) : fuse(graph)) {
    add_group(builder, group);
    if (shows)
      for (const ir::ValueId output : graph.nodes[group[0]].outputs) builder.show(output);
    if (watches)
      for (const ir::ValueId output : graph.nodes[group.back()].outputs) builder.watch(output);
  }
  return builder.finish(!watches);
}

}  // namespace halftone::float_engine
