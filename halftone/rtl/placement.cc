#include "halftone/rtl/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <regex>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/rtl/tool.h"

namespace halftone::rtl {
namespace {

const Tool kEcp5{"nextpnr-ecp5", "nextpnr-ecp5 of Debian 13; scripts/ecp5-tools brings it to Debian 12"};
const Tool kEcppack{"ecppack", "fpga-trellis of Debian 13; scripts/ecp5-tools brings it to Debian 12"};
const Tool kIce40{"nextpnr-ice40", "nextpnr-ice40"};
const Tool kIcepack{"icepack", "fpga-icestorm"};

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

Seed place_ecp5(const std::filesystem::path& folder, double target, int seed, std::chrono::seconds limit) {
  const std::string name = fmt::format("seed{}", seed);
  const std::filesystem::path config = folder / (name + ".config"), log = folder / (name + ".log"), bits = folder / (name + ".bit");
  if (!std::filesystem::exists(bits)) {
    run({.tool = kEcp5,
         .arguments = {"--85k", "--package", "CABGA756", "--speed", "8", "--freq", fmt::format("{}", target), "--seed", std::to_string(seed), "--json", "netlist.json",
                       "--textcfg", config.filename(), "--lpf-allow-unconstrained"},
         .folder = folder,
         .log = log,
         .limit = limit});
    if (!std::filesystem::exists(config)) throw SystemError("rtl", fmt::format("nextpnr-ecp5 did not route it ({})", log.string()));
    run_or_throw({.tool = kEcppack, .arguments = {config.filename(), bits.filename()}, .folder = folder, .log = folder / "ecppack.log"});
  }
  return {routed_mhz(log), bits};
}

Seed place_ice40(const std::filesystem::path& folder, double target, int seed, std::chrono::seconds limit) {
  const std::string name = fmt::format("seed{}", seed);
  const std::filesystem::path config = folder / (name + ".asc"), log = folder / (name + ".log"), bits = folder / (name + ".bin");
  if (!std::filesystem::exists(bits)) {
    run({.tool = kIce40,
         .arguments = {"--up5k", "--package", "sg48", "--freq", fmt::format("{}", target), "--seed", std::to_string(seed), "--json", "netlist.json", "--asc",
                       config.filename(), "--pcf-allow-unconstrained"},
         .folder = folder,
         .log = log,
         .limit = limit});
    if (!std::filesystem::exists(config)) throw SystemError("rtl", fmt::format("nextpnr-ice40 did not route it ({})", log.string()));
    run_or_throw({.tool = kIcepack, .arguments = {config.filename(), bits.filename()}, .folder = folder, .log = folder / "icepack.log"});
  }
  return {routed_mhz(log), bits};
}

}  // namespace

Placement place(const Synthesis& synthesis, const Device& device, double target_mhz, int seeds, std::chrono::seconds limit) {
  Placement made;
  for (int seed = 1; seed <= seeds; ++seed) {
    Seed one;
    if (device.family == Family::ecp5)
      one = place_ecp5(synthesis.folder, target_mhz, seed, limit);
    else if (device.family == Family::ice40)
      one = place_ice40(synthesis.folder, target_mhz, seed, limit);
    else
      throw UnsupportedError("rtl", fmt::format("no open tool places {}, expected ecp5-85 or up5k", device.name));
    if (made.of_seed.empty() || one.mhz < made.mhz) {
      made.mhz = one.mhz;
      made.bitstream = one.bitstream;
    }
    made.of_seed.push_back(one.mhz);
  }
  return made;
}

}  // namespace halftone::rtl
