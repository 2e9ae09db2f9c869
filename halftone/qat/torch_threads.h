// How torch computes: with how many threads, and alike each time.
#pragma once

#include <cstdint>

namespace halftone::qat {

// For the whole process, from now on. OpenBLAS inside libtorch has a number of its own, which decides in what
// order it adds, so both are set.
void set_torch_threads(int threads);

// The same, and from the same numbers the same results.
void make_deterministic(int threads, std::uint64_t seed);

}  // namespace halftone::qat
