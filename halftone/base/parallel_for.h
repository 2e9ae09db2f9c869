// Independent pieces of work, spread over threads.
#pragma once

#include <cstdint>
#include <functional>

namespace halftone {

// Cores this process may use (its affinity mask), at least 1.
int available_threads();

// Calls body(i) once for every i in [0, count) on up to `threads` threads (fewer where the system has no more, or memory
// is limited), in no particular order; the caller
// makes results independent of it by writing to places indexed by i. If bodies throw, the exception of the
// smallest i that threw is rethrown.
void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t)>& body);

}  // namespace halftone
