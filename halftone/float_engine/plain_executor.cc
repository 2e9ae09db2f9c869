// The build without oneDNN.
#include "halftone/float_engine/executor.h"
#include "halftone/ir/interpreter.h"

namespace halftone::float_engine {

std::unique_ptr<ir::Executor> make_executor(const ir::Graph& graph) {
  return std::make_unique<ir::Interpreter>(graph);
}

}  // namespace halftone::float_engine
