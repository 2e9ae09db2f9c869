#include "cli/integers.h"

#include "cli/engine_run.h"
#include "halftone/engine/layout.h"
#include "halftone/ir/interpreter.h"

namespace halftone::cli {

std::unique_ptr<engine::Executor> run_integers(const qgraph::QuantizedGraph& graph, kernels::Isa isa, int threads) {
  const auto plain = [](const ir::Graph& island) { return std::make_unique<ir::Interpreter>(island); };
  return std::make_unique<engine::Executor>(graph, engine::Options{.isa = isa, .make_executor = plain}, threads);
}

std::function<void()> timed_run(const qgraph::QuantizedGraph& graph, std::vector<Tensor> inputs, std::int64_t samples) {
  const auto run = std::make_shared<EngineRun>(graph, std::move(inputs), EngineSettings{.batch = samples});
  return [run] { (*run)(); };
}

int stored_bytes(int bits) {
  const qgraph::Value value{.name = "", .shape = {}, .grid = numeric::Grid{.format = {.bits = bits}}};
  return static_cast<int>(engine::layout_of(value, {}).element);
}

}  // namespace halftone::cli
