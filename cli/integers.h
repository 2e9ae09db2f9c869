// How commands run a network in integers.
#pragma once

#include <memory>

#include "halftone/engine/executor.h"

namespace halftone::cli {

// The engine. Islands run on the plain float interpreter, so that every byte is the plain integer interpreter's.
std::unique_ptr<ir::Executor> run_integers(const qgraph::QuantizedGraph& graph, kernels::Isa isa = kernels::best_isa(), int threads = 1);

}  // namespace halftone::cli
