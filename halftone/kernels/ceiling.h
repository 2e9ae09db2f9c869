// What this core's dot product instruction can do at the most: time on it measures the clock.
#pragma once

#include <cstdint>

#include "halftone/kernels/isa.h"

namespace halftone::kernels {

// Runs some 50 microseconds of the instruction on registers alone. Returns the multiply-adds; 0 where the instruction set
// has no such instruction.
std::int64_t run_dot_products(Isa isa);

}  // namespace halftone::kernels
