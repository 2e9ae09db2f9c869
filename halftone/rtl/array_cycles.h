// How many cycles a product takes on an array, without simulating it.
#pragma once

#include <cstdint>

#include "halftone/rtl/array.h"

namespace halftone::rtl {

// From the first word in to the last word out, both counted, when nothing stalls: what library/TileSequencer.sv and DrainSequencer.sv do
// with the words of share_bytes (bytes_a_cycle > 0) or a word of each stream a cycle (0). Equals what a simulation counts.
std::int64_t predicted_cycles(const ArrayGeometry& geometry, const ProductShape& shape, int bytes_a_cycle);

// The least that any order of work takes: max(bytes in / bytes a cycle, products / products a cycle).
std::int64_t bound_on_cycles(const ArrayGeometry& geometry, const ProductShape& shape, int bytes_a_cycle);

}  // namespace halftone::rtl
