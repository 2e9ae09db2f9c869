// How commands run a network in integers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "halftone/engine/executor.h"

namespace halftone::cli {

// The engine. Islands run on the plain float interpreter, so that every byte is the plain integer interpreter's.
std::unique_ptr<engine::Executor> run_integers(const qgraph::QuantizedGraph& graph, kernels::Isa isa = kernels::best_isa(), int threads = 1);

// A run of so many samples from their floats to the network's floats, in memory that stays: to be timed, on one thread. Islands run at
// speed.
std::function<void()> timed_run(const qgraph::QuantizedGraph& graph, std::vector<Tensor> inputs, std::int64_t samples);

// Bytes that the engine holds an integer of so many bits in.
int stored_bytes(int bits);

}  // namespace halftone::cli
