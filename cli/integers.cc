#include "cli/integers.h"

#include "halftone/ir/interpreter.h"

namespace halftone::cli {

std::unique_ptr<ir::Executor> run_integers(const qgraph::QuantizedGraph& graph, kernels::Isa isa, int threads) {
  const auto plain = [](const ir::Graph& island) { return std::make_unique<ir::Interpreter>(island); };
  return std::make_unique<engine::Executor>(graph, engine::Options{.isa = isa, .threads = threads, .make_executor = plain});
}

}  // namespace halftone::cli
