// An engine for networks in integers, as the caller brings it.
#pragma once

#include <functional>
#include <memory>

#include "halftone/qgraph/interpreter.h"

namespace halftone::analysis {

// An engine that gives the plain interpreter's bytes; the interpreter itself where it is empty.
using MakeIntegers = std::function<std::unique_ptr<ir::Executor>(const qgraph::QuantizedGraph&)>;

inline std::unique_ptr<ir::Executor> integers_on(const MakeIntegers& make, const qgraph::QuantizedGraph& graph) {
  return make ? make(graph) : std::make_unique<qgraph::Interpreter>(graph);
}

}  // namespace halftone::analysis
