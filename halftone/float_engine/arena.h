// Which bytes of the arena each buffer gets.
#pragma once

#include <vector>

#include "halftone/float_engine/program.h"

namespace halftone::float_engine {

inline constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector register

// Sets the offsets so that no two buffers that are in use at one step overlap. Returns the arena's size in
// bytes.
std::size_t place_buffers(std::vector<Buffer>& buffers);

}  // namespace halftone::float_engine
