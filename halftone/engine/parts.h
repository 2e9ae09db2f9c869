// Work that threads share.
#pragma once

#include <algorithm>

#include "halftone/engine/step.h"
#include "halftone/engine/pool.h"

namespace halftone::engine {

// Calls body(first, last) for pieces of [0, count) that together are all of it: once, or, where the whole takes long enough by the
// estimate `nanoseconds`, on several threads at a time, some pieces for each, so that one that is late holds up little.
template <typename Body>
void in_parts(const Memory& memory, std::int64_t count, double nanoseconds, const Body& body) {
  constexpr std::int64_t kPiecesEach = 4;
  if (memory.pool == nullptr || count < 2 || nanoseconds < 2 * memory.least_part) return body(std::int64_t{0}, count);
  const double most = memory.least_part > 0 ? nanoseconds / memory.least_part : static_cast<double>(count);
  const std::int64_t parts = std::min({count, kPiecesEach * memory.pool->threads(), static_cast<std::int64_t>(std::min(most, 1e9))});
  memory.pool->run(parts, [&](std::int64_t part, int) { body(part * count / parts, (part + 1) * count / parts); });
}

// The estimate for loops over bytes.
inline double nanoseconds_of_bytes(std::int64_t bytes) { return static_cast<double>(bytes) / 8.0; }

// Calls body(run) for each run of the elements of all samples.
template <typename Body>
void for_runs(const Memory& memory, const Layout& layout, const Body& body) {
  const std::int64_t runs = memory.samples * runs_of(layout);
  in_parts(memory, runs, nanoseconds_of_bytes(runs * run_length(layout)), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t run = first; run < last; ++run) body(run);
  });
}

}  // namespace halftone::engine
