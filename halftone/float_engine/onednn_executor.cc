// Plans of a graph, each with a program for every set of input shapes it has met.
#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <map>
#include <mutex>
#include <new>

#include "halftone/base/not_a_number.h"
#include "halftone/float_engine/compile.h"
#include "halftone/float_engine/emit.h"
#include "halftone/float_engine/executor.h"
#include "halftone/float_engine/invalid_flag.h"
#include "halftone/float_engine/one_thread.h"
#include "halftone/ir/interpreter.h"
#include "halftone/passes/pass.h"

namespace halftone::float_engine {
namespace {

// Batch sizes a caller changes between; each has memory of its own.
constexpr std::size_t kMostPrograms = 4;

class Plan {
 public:
  Plan(ir::Graph graph, Visits visits) : graph_(std::move(graph)), visits_(visits) {}

  std::shared_ptr<const Program> program_for(std::span<const Tensor> inputs) {
    std::vector<Shape> shapes;
    for (const Tensor& input : inputs) shapes.push_back(input.shape());
    const std::lock_guard lock(mutex_);
    auto found = std::ranges::find(entries_, shapes, &Entry::shapes);
    if (found == entries_.end()) {
      const OneThread one_thread;
      std::shared_ptr<const Program> program = compile(graph_, shapes, visits_, constants_);
      entries_.push_front({std::move(shapes), std::move(program)});
      if (entries_.size() > kMostPrograms) entries_.pop_back();
      found = entries_.begin();
    }
    entries_.splice(entries_.begin(), entries_, found);  // the latest first
    return entries_.front().program;
  }

 private:
  struct Entry {
    std::vector<Shape> shapes;
    std::shared_ptr<const Program> program;
  };

  ir::Graph graph_;
  Visits visits_;
  std::mutex mutex_;
  Constants constants_;
  std::list<Entry> entries_;
};

// Values that depend on constants alone become constants; no value of the others changes its name.
ir::Graph with_constants_computed(ir::Graph graph) {
  ir::Nodes rest;
  for (ir::Node& node : graph.nodes) {
    const bool fixed = std::ranges::all_of(
        node.inputs, [&](ir::ValueId id) { return id == ir::kNoValue || graph.constant(id) != nullptr; });
    if (!fixed) {
      rest.push_back(std::move(node));
      continue;
    }
    std::vector<const Tensor*> inputs;
    for (const ir::ValueId id : node.inputs) inputs.push_back(graph.constant(id));
    std::vector<Tensor> results = ir::evaluate_op(node.op, inputs);
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      graph.value(node.outputs[i]).constant = std::move(results[i]);
  }
  graph.nodes = std::move(rest);
  return graph;
}

// Whether oneDNN's primitive for it may make a number of a NaN.
bool hides_nan(const ir::Op& op) {
  return !eltwise_of(op).empty() || std::holds_alternative<ir::MaxPool>(op) ||
         std::holds_alternative<ir::GlobalMaxPool>(op) || std::holds_alternative<ir::Softmax>(op);
}

// The values in which a NaN is refused, each with what reads it.
std::map<std::string, std::string, std::less<>> readers_that_hide_nan(const ir::Graph& graph) {
  std::map<std::string, std::string, std::less<>> result;
  for (const ir::Node& node : graph.nodes)
    if (hides_nan(node.op)) result.try_emplace(graph.value(node.inputs[0]).name, ir::describe(graph, node));
  return result;
}

class OnednnExecutor : public ir::Executor {
 public:
  explicit OnednnExecutor(const ir::Graph& graph) : OnednnExecutor(graph, passes::simplify(graph)) {}

  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit) const override {
    ir::check_inputs(graph_, inputs);
    if (visit) return run_shown(inputs, visit);
    refuse_nan_in(inputs);
    const std::vector<Tensor> wide = widened(inputs);
    const InvalidFlag invalid;
    std::vector<Tensor> outputs = run_plan(fast_, wide, {});
    if (invalid.is_set()) outputs = run_without_hidden_nan(wide);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (const DType declared = graph_.value(graph_.outputs[i]).dtype; outputs[i].dtype() != declared)
        outputs[i] = outputs[i].cast(declared);
    return outputs;
  }

  void watch(std::span<const Tensor> inputs, const ir::Watch& see) const override {
    ir::check_inputs(graph_, inputs);
    refuse_nan_in(inputs);
    const std::vector<Tensor> wide = widened(inputs);
    const InvalidFlag invalid;
    run_plan(watched_, wide, {}, see);
    if (invalid.is_set()) run_without_hidden_nan(wide);
  }

 private:
  OnednnExecutor(const ir::Graph& graph, const ir::Graph& simple)
      : graph_(graph),
        hidden_(readers_that_hide_nan(simple)),
        fast_(simple, Visits::none),
        watched_(simple, Visits::outputs),
        checked_(simple, Visits::every),
        shown_(with_constants_computed(graph), Visits::every) {}

  // oneDNN's word for no memory becomes everyone's.
  static std::vector<Tensor> run_plan(Plan& plan, std::span<const Tensor> inputs, const ir::Visitor& visit,
                                      const ir::Watch& see = {}) {
    try {
      return plan.program_for(inputs)->run(inputs, visit, see);
    } catch (const dnnl::error& error) {
      if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
      throw;
    }
  }

  // A visitor may have words of its own for a NaN, and is shown it first.
  std::vector<Tensor> run_shown(std::span<const Tensor> inputs, const ir::Visitor& visit) const {
    const InvalidFlag invalid;
    std::vector<Tensor> outputs = run_plan(shown_, inputs, visit);
    refuse_nan_in(inputs);
    if (invalid.is_set()) run_without_hidden_nan(widened(inputs));
    return outputs;
  }

  void refuse_nan_in(std::span<const Tensor> inputs) const {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      refuse_nan("run", fmt::format("input '{}'", graph_.value(graph_.inputs[i]).name), inputs[i]);
  }

  // Simplified graphs compute in float32 alone.
  static std::vector<Tensor> widened(std::span<const Tensor> inputs) {
    std::vector<Tensor> result(inputs.begin(), inputs.end());
    for (Tensor& input : result)
      if (is_float(input.dtype()) && input.dtype() != DType::float32) input = input.cast(DType::float32);
    return result;
  }

  // The same run, each value looked at before a primitive reads it that might make a number of its NaN.
  std::vector<Tensor> run_without_hidden_nan(const std::vector<Tensor>& inputs) const {
    return run_plan(checked_, inputs, [&](std::string_view name, Tensor& value) {
      if (const auto found = hidden_.find(name); found != hidden_.end())
        refuse_nan("run", fmt::format("value '{}' before {}", name, found->second), value);
    });
  }

  ir::Graph graph_;
  std::map<std::string, std::string, std::less<>> hidden_;
  mutable Plan fast_;
  mutable Plan watched_;
  mutable Plan checked_;
  mutable Plan shown_;
};

}  // namespace

std::unique_ptr<ir::Executor> make_executor(const ir::Graph& graph) {
  return std::make_unique<OnednnExecutor>(graph);
}

}  // namespace halftone::float_engine
