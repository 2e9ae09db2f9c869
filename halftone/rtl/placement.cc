#include "halftone/rtl/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <regex>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/rtl/kept.h"
#include "halftone/rtl/tool.h"

namespace halftone::rtl {
namespace {

// How a family is placed, and its bitstream packed.
struct Placer {
  Tool place;
  std::vector<std::string> arguments;
  std::string config_option;
  std::string config;  // the ending of what is packed
  Tool pack;
  std::string bitstream;  // the ending of what is loaded
};

const Placer& placer_of(const Device& device) {
  static const Placer ecp5{{"nextpnr-ecp5", "nextpnr-ecp5 of Debian 13; scripts/ecp5-tools brings it to Debian 12"},
                           {"--85k", "--package", "CABGA756", "--speed", "8", "--lpf-allow-unconstrained"},
                           "--textcfg",
                           ".config",
                           {"ecppack", "fpga-trellis of Debian 13; scripts/ecp5-tools brings it to Debian 12"},
                           ".bit"};
  static const Placer up5k{{"nextpnr-ice40", "nextpnr-ice40"}, {"--up5k", "--package", "sg48", "--pcf-allow-unconstrained"}, "--asc", ".asc", {"icepack", "fpga-icestorm"}, ".bin"};
  if (device.family == Family::ecp5) return ecp5;
  if (device.family == Family::ice40) return up5k;
  throw UnsupportedError("rtl", fmt::format("no open tool places {}, expected ecp5-85 or up5k", device.name));
}

// nextpnr prints the clock after placing and again after routing: the last one counts. A missed target is no failure of its own.
double routed_mhz(const std::filesystem::path& log) {
  std::ifstream file(log);
  const std::regex clock(R"(Max frequency for clock .*: ([0-9.]+) MHz)");
  double mhz = 0;
  for (std::string line; std::getline(file, line);)
    if (std::smatch found; std::regex_search(line, found, clock)) mhz = std::stod(found[1]);
  return mhz;
}

struct Seed {
  double mhz = 0;
  std::filesystem::path bitstream;
};

Seed place_one(const Placer& placer, const std::filesystem::path& folder, double target, int seed, std::chrono::seconds limit) {
  const std::string name = fmt::format("seed{}-{}MHz", seed, target);
  const std::string config = "design" + placer.config, bits = "design" + placer.bitstream;
  const std::filesystem::path place = made_once(folder, name, bits, [&](const std::filesystem::path& work) {
    std::filesystem::copy_file(folder / "netlist.json", work / "netlist.json");
    std::vector<std::string> arguments = placer.arguments;
    arguments.insert(arguments.end(), {"--freq", fmt::format("{}", target), "--seed", std::to_string(seed), "--json", "netlist.json", placer.config_option, config});
    run({.tool = placer.place, .arguments = arguments, .folder = work, .log = work / "place.log", .limit = limit});  // fails where the target is missed
    if (!std::filesystem::exists(work / config) || routed_mhz(work / "place.log") <= 0)
      throw SystemError("rtl", fmt::format("{} did not route it ({})", placer.place.program, (work / "place.log").string()));
    run_or_throw({.tool = placer.pack, .arguments = {config, bits}, .folder = work, .log = work / "pack.log"});
  });
  return {routed_mhz(place / "place.log"), place / bits};
}

}  // namespace

Placement place(const Synthesis& synthesis, const Device& device, double target_mhz, int seeds, std::chrono::seconds limit) {
  const Placer& placer = placer_of(device);
  Placement made;
  for (int seed = 1; seed <= seeds; ++seed) {
    const Seed one = place_one(placer, synthesis.folder, target_mhz, seed, limit);
    if (made.of_seed.empty() || one.mhz < made.mhz) {
      made.mhz = one.mhz;
      made.bitstream = one.bitstream;
    }
    made.of_seed.push_back(one.mhz);
  }
  return made;
}

}  // namespace halftone::rtl
