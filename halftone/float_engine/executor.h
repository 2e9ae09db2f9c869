// Float networks at speed: the same function as ir::Interpreter, within float32 rounding.
#pragma once

#include <memory>

#include "halftone/ir/executor.h"
#include "halftone/ir/graph.h"

namespace halftone::float_engine {

// Runs the graph with oneDNN on the calling thread alone (callers spread batches over threads), and with the
// interpreter's plain loops wherever oneDNN has no such operator; all in plain loops in a build without
// oneDNN.
//
// The sums are float32 where the interpreter's are double: a sum of n products a·b may differ by
// n·2^−24·Σ|a·b| and one rounding. A NaN may become a number in activations and pooling. The same inputs give
// the same bytes on one machine, on any thread and in every run; other batch sizes, other instruction sets
// and a visitor may change the last bits, since with a visitor no value is skipped by computing two nodes in
// one.
std::unique_ptr<ir::Executor> make_executor(const ir::Graph& graph);

}  // namespace halftone::float_engine
