// A design placed and routed: the clock that it reaches, and the bitstream.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "halftone/rtl/synthesis.h"

namespace halftone::rtl {

struct Placement {
  double mhz = 0;                     // the least of all seeds
  std::vector<double> of_seed;        // MHz each
  std::filesystem::path bitstream;    // of the seed with the least
};

// `synthesis` is of the Top behind pins (netlist.json in its folder). Seeds 1 to `seeds`. Throws as synthesize does; UnsupportedError for a family
// that no tool here places.
Placement place(const Synthesis& synthesis, const Device& device, double target_mhz, int seeds, std::chrono::seconds limit = std::chrono::hours(1));

}  // namespace halftone::rtl
