// How many threads torch computes with.
#pragma once

namespace halftone::qat {

// For the whole process, from now on. OpenBLAS inside libtorch has a number of its own, which decides in what
// order it adds, so both are set.
void set_torch_threads(int threads);

}  // namespace halftone::qat
