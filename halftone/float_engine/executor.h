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
// n·2^−24·Σ|a·b| and one rounding. The same inputs give the same bytes on one machine, on any thread and in
// every run; other batch sizes, other instruction sets and a visitor may change the last bits, since with a
// visitor no value is skipped by computing two nodes in one.
//
// Networks of float16, bfloat16 and float64 are computed in float32: inputs and outputs have the types that the
// graph declares. Where the processor notes an invalid operation, as of a NaN, or of a number too large for the integer it
// is cast to, the outputs are those of a second run with every value looked at. In a build with oneDNN run() and watch() throw InputError for an input with a NaN, and for a
// NaN that comes up before an activation, a pooling or a Softmax, where oneDNN might make a number of it.
std::unique_ptr<ir::Executor> make_executor(const ir::Graph& graph);

}  // namespace halftone::float_engine
