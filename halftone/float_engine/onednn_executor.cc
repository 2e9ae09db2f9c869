// Plans of a graph, each with a program for every set of input shapes it has met.
#include <algorithm>
#include <list>
#include <mutex>

#include "halftone/float_engine/compile.h"
#include "halftone/float_engine/executor.h"
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

// What depends on constants alone becomes constants; no value of the others changes its name.
ir::Graph with_constants_computed(ir::Graph graph) {
  std::vector<ir::Node> rest;
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

class OnednnExecutor : public ir::Executor {
 public:
  explicit OnednnExecutor(const ir::Graph& graph)
      : graph_(graph),
        fast_(passes::simplify(graph), Visits::none),
        watched_(passes::simplify(graph), Visits::outputs),
        shown_(with_constants_computed(graph), Visits::every) {}

  std::vector<Tensor> run(std::span<const Tensor> inputs, const ir::Visitor& visit) const override {
    ir::check_inputs(graph_, inputs);
    Plan& plan = visit ? shown_ : fast_;
    return plan.program_for(inputs)->run(inputs, visit);
  }

  void watch(std::span<const Tensor> inputs, const ir::Watch& see) const override {
    ir::check_inputs(graph_, inputs);
    watched_.program_for(inputs)->run(inputs, {}, see);
  }

 private:
  ir::Graph graph_;
  mutable Plan fast_;
  mutable Plan watched_;
  mutable Plan shown_;
};

}  // namespace

std::unique_ptr<ir::Executor> make_executor(const ir::Graph& graph) {
  return std::make_unique<OnednnExecutor>(graph);
}

}  // namespace halftone::float_engine
