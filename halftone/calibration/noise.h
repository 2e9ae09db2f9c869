// Noise in the shape of a network's inputs: to run it where nobody asks what comes out.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/data/npy.h"
#include "halftone/ir/graph.h"

namespace halftone::calibration {

// An array for each input of the graph, with `rows` samples that samples_for takes. Floats are nearly normal, of mean 0 and
// deviation 1; 8-bit integers are any; wider ones are 0 and 1, which are indices into whatever has two elements. The same for the
// same seed on every machine. Where inputs fix different numbers of rows a run, each row is all of such an input. Throws InputError
// for an input that is open in other dimensions than its first.
std::vector<data::StoredArray> noise_for(const ir::Graph& graph, std::int64_t rows, std::uint64_t seed);

}  // namespace halftone::calibration
