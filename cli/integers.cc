#include "cli/integers.h"

#include "halftone/engine/layout.h"
#include "halftone/float_engine/executor.h"
#include "halftone/ir/interpreter.h"

namespace halftone::cli {
namespace {

class TimedRun {
 public:
  TimedRun(qgraph::QuantizedGraph graph, std::vector<Tensor> inputs, std::int64_t samples)
      : graph_(std::move(graph)), program_(graph_, {.batch = samples, .make_executor = float_engine::make_executor}), context_(program_),
        inputs_(std::move(inputs)) {
    const auto count = static_cast<std::size_t>(program_.is_separable() ? samples : 1);
    for (const Tensor& input : inputs_) from_.push_back(input.bytes());
    for (const engine::Program::Port& port : program_.outputs()) outputs_.emplace_back(port.bytes() * count);
    for (std::vector<std::byte>& output : outputs_) to_.push_back(output);
  }
  void operator()() { program_.run(context_, program_.batch(), from_, to_); }

 private:
  qgraph::QuantizedGraph graph_;
  engine::Program program_;
  engine::Program::Context context_;
  std::vector<Tensor> inputs_;
  std::vector<std::vector<std::byte>> outputs_;
  std::vector<std::span<const std::byte>> from_;
  std::vector<std::span<std::byte>> to_;
};

}  // namespace

std::unique_ptr<ir::Executor> run_integers(const qgraph::QuantizedGraph& graph, kernels::Isa isa, int threads) {
  const auto plain = [](const ir::Graph& island) { return std::make_unique<ir::Interpreter>(island); };
  return std::make_unique<engine::Executor>(graph, engine::Options{.isa = isa, .threads = threads, .make_executor = plain});
}

std::function<void()> timed_run(qgraph::QuantizedGraph graph, std::vector<Tensor> inputs, std::int64_t samples) {
  const auto run = std::make_shared<TimedRun>(std::move(graph), std::move(inputs), samples);
  return [run] { (*run)(); };
}

int stored_bytes(int bits) {
  const qgraph::Value value{.name = "", .shape = {}, .grid = numeric::Grid{.format = {.bits = bits}}};
  return static_cast<int>(engine::layout_of(value, {}).element);
}

}  // namespace halftone::cli
