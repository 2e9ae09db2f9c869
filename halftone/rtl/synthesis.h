// Resources of a module on a device, by Yosys, and how fast it runs there, by nextpnr.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "halftone/rtl/device.h"
#include "halftone/rtl/top.h"

namespace halftone::rtl {

struct Synthesis {
  Resources used;
  std::map<std::string, std::int64_t> cells;  // by the library's names
  std::string tool;                           // as it names itself
  std::filesystem::path folder;               // where it ran: for families that are placed, netlist.json is there
};

// The resources that a family's cells stand for: LUTs count those that serve as shift registers or memory.
Resources resources_of(Family family, const std::map<std::string, std::int64_t>& cells);

// Runs Yosys in `kept`, unless it has run for these modules; of families that are placed with the Top behind pins (pins.h). Throws UnsupportedError where it is missing, SystemError where it fails
// or is not done in time.
Synthesis synthesize(const Top& top, const Device& device, const std::filesystem::path& kept, std::chrono::seconds limit = std::chrono::hours(1));

}  // namespace halftone::rtl
