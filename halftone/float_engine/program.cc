#include "halftone/float_engine/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/float_engine/arena.h"
#include "halftone/float_engine/one_thread.h"
#include "halftone/float_engine/workspace.h"

namespace halftone::float_engine {
namespace {

void expect_type(const ir::Graph& graph, ir::ValueId id, const Tensor& tensor) {
  const ir::Value& value = graph.value(id);
  const bool fits =
      tensor.dtype() == value.dtype && (!is_static(value.shape) || tensor.shape() == value.shape);
  if (!fits)
    throw InputError("run",
                     fmt::format("value '{}', got {} {}, expected {} {}", value.name, name_of(tensor.dtype()),
                                 to_string(tensor.shape()), name_of(value.dtype), to_string(value.shape)));
}

void evaluate(const ir::Graph& graph, const ir::Node& node, Workspace& workspace) {
  std::vector<const Tensor*> inputs;
  for (const ir::ValueId id : node.inputs) {
    const Tensor* constant = graph.constant(id);
    inputs.push_back(id == ir::kNoValue || constant != nullptr ? constant : &workspace.tensor(id));
  }
  std::vector<Tensor> results;
  try {
    results = ir::evaluate_op(node.op, inputs);
  } catch (const InputError&) {
    throw_again_in(ir::describe(graph, node));
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    expect_type(graph, node.outputs[i], results.at(i));
    workspace.set_tensor(node.outputs[i], std::move(results[i]));
  }
}

void show(const ir::Graph& graph, ir::ValueId value, const ir::Visitor& visit, Workspace& workspace) {
  Tensor tensor = workspace.take_tensor(value);
  visit(graph.value(value).name, tensor);
  expect_type(graph, value, tensor);
  workspace.set_tensor(value, std::move(tensor));
}

ir::Watched watched(std::size_t output, const Tensor& tensor) { return {output, tensor.data<float>(), tensor.shape()}; }

}  // namespace

Program::Program(ir::Graph graph, std::vector<Buffer> buffers, std::vector<Slot> slots,
                 std::vector<Step> steps)
    : graph_(std::move(graph)),
      buffers_(std::move(buffers)),
      slots_(std::move(slots)),
      steps_(std::move(steps)),
      tensor_slots_(graph_.values.size()) {
  arena_bytes_ = place_buffers(buffers_);
  for (std::size_t s = 0; s < slots_.size(); ++s)
    if (const auto* tensor = std::get_if<TensorBuffer>(&buffers_[static_cast<std::size_t>(slots_[s].buffer)]))
      tensor_slots_[static_cast<std::size_t>(tensor->value)].push_back(static_cast<SlotId>(s));
}

Program::~Program() = default;

std::vector<Tensor> Program::run(std::span<const Tensor> inputs, const ir::Visitor& visit, const ir::Watch& watch) const {
  const OneThread one_thread;
  std::unique_ptr<Workspace> workspace;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      workspace = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!workspace) workspace = std::make_unique<Workspace>(*this);
  // Where a run throws, its workspace goes with it.
  run_in(*workspace, inputs, visit, watch);
  std::vector<Tensor> outputs;
  if (!watch) outputs = outputs_of(*workspace);
  workspace->release_all();
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(workspace));
  return outputs;
}

void Program::run_in(Workspace& workspace, std::span<const Tensor> inputs, const ir::Visitor& visit,
                     const ir::Watch& watch) const {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    expect_type(graph_, graph_.inputs[i], inputs[i]);
    workspace.set_tensor(graph_.inputs[i], inputs[i]);
  }
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    if (std::holds_alternative<Execute>(step))
      workspace.execute(s);
    else if (const auto* evaluated = std::get_if<Evaluate>(&step))
      evaluate(graph_, graph_.nodes[evaluated->node], workspace);
    else if (const auto* allocated = std::get_if<Allocate>(&step))
      workspace.allocate(allocated->value);
    else if (const auto* shown = std::get_if<Show>(&step))
      show(graph_, shown->value, visit, workspace);
    else if (const auto* slot = std::get_if<WatchSlot>(&step))
      watch({slot->output, {workspace.elements(slot->slot), slot->elements}, slot->shape, slot->channel_block});
    else if (const auto* tensor = std::get_if<WatchTensor>(&step))
      watch(watched(tensor->output, workspace.tensor(tensor->value)));
    else
      workspace.release(std::get<Release>(step).value);
  }
  for (std::size_t i = 0; watch && i < graph_.outputs.size(); ++i)
    if (const Tensor* constant = graph_.constant(graph_.outputs[i])) watch(watched(i, *constant));
}

std::vector<Tensor> Program::outputs_of(const Workspace& workspace) const {
  std::vector<Tensor> outputs;
  for (const ir::ValueId id : graph_.outputs) {
    const Tensor* constant = graph_.constant(id);
    outputs.push_back(constant != nullptr ? *constant : workspace.tensor(id));
  }
  return outputs;
}

}  // namespace halftone::float_engine
