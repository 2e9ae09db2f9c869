#include "halftone/rtl/synthesis.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "halftone/base/digest.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/rtl/pins.h"
#include "halftone/rtl/fault.h"
#include "halftone/rtl/kept.h"
#include "halftone/rtl/tool.h"

namespace halftone::rtl {
namespace {

const Tool kYosys{"yosys", "yosys"};

std::string command_of(Family family) {
  switch (family) {
    case Family::xc7: return "synth_xilinx -family xc7 -top Top -flatten -noiopad -noclkbuf";
    case Family::ecp5: return "synth_ecp5 -top Pins -json netlist.json";
    case Family::ice40: return "synth_ice40 -dsp -abc9 -top Pins -json netlist.json";
    case Family::osu018: break;
  }
  throw UnsupportedError("rtl", "no synthesis for this device");
}

std::string name_of(const Top& top, const Device& device) {
  Digest digest;
  const auto add = [&](std::string_view text) { digest.add(std::as_bytes(std::span(text))); };
  add(digest_of_library());
  add(top.text);
  add(pins_around(top));
  add(command_of(device.family));
  return fmt::format("{}-{}", device.name, digest.text());
}

// "     DSP48E1    216" lines of Yosys' stat, from the last "Number of cells" on; and its name in the log's banner.
std::map<std::string, std::int64_t> cells_in(const std::filesystem::path& statistics) {
  std::ifstream file(statistics);
  std::map<std::string, std::int64_t> cells;
  bool within = false;
  for (std::string line; std::getline(file, line);) {
    if (line.find("Number of cells:") != std::string::npos) {
      cells.clear();
      within = true;
      continue;
    }
    std::istringstream words(line);
    std::string name;
    std::int64_t count = 0;
    if (within && words >> name >> count) cells[name] = count;
  }
  return cells;
}

std::string version_in(const std::filesystem::path& file) {
  std::ifstream text(file);
  std::string line;
  std::getline(text, line);
  return line.substr(0, line.find(" ("));
}

void run_yosys(const Top& top, const Device& device, const std::filesystem::path& folder, std::chrono::seconds limit) {
  write_library(folder / "library");
  write_file(folder / "Top.sv", top.text + pins_around(top));
  run_or_throw({.tool = kYosys, .arguments = {"-V"}, .folder = folder, .log = folder / "version.txt", .limit = std::chrono::seconds(60)});
  run_or_throw({.tool = kYosys,
                .arguments = {"-q", "-p", fmt::format("read_verilog -sv library/*.sv Top.sv; {}; tee -o statistics.txt stat", command_of(device.family))},
                .folder = folder,
                .log = folder / "yosys.log",
                .limit = limit});
}

}  // namespace

Resources resources_of(Family family, const std::map<std::string, std::int64_t>& cells) {
  Resources used;
  for (const auto& [name, count] : cells) {
    const auto is = [&](std::string_view start) { return name.starts_with(start); };
    if (family == Family::xc7) {
      if (is("DSP48")) used.dsp += count;
      if (is("LUT") || is("SRL16") || is("RAM32X1") || is("RAM64X1") || is("RAM64M") || is("RAM32M") || is("RAM128X1")) used.lut += count * (is("RAM32M") || is("RAM64M") ? 4 : 1);
      if (is("FD")) used.ff += count;
      if (is("RAMB18")) used.bram += count;
      if (is("RAMB36")) used.bram += 2 * count;
    } else if (family == Family::ecp5) {
      if (is("MULT18X18D")) used.dsp += count;
      if (is("LUT4")) used.lut += count;
      if (is("CCU2C") || is("TRELLIS_DPR16X4")) used.lut += 2 * count;  // of a slice's two LUTs; a memory takes two more to write
      if (is("TRELLIS_FF")) used.ff += count;
      if (is("DP16KD")) used.bram += count;
    } else if (family == Family::ice40) {
      if (is("SB_MAC16")) used.dsp += count;
      if (is("SB_LUT4")) used.lut += count;
      if (is("SB_DFF")) used.ff += count;
      if (is("SB_RAM40")) used.bram += count;
    }
  }
  return used;
}

Synthesis synthesize(const Top& top, const Device& device, const std::filesystem::path& kept, std::chrono::seconds limit) {
  const std::string name = name_of(top, device);
  if (!std::filesystem::exists(kept / name / "statistics.txt")) require(kYosys);
  const std::filesystem::path place = made_once(kept, name, "statistics.txt", [&](const std::filesystem::path& work) { run_yosys(top, device, work, limit); });
  Synthesis made{.cells = cells_in(place / "statistics.txt"), .tool = version_in(place / "version.txt"), .folder = place};
  if (made.cells.empty()) throw SystemError("rtl", fmt::format("no cells in '{}'", (place / "statistics.txt").string()));
  made.used = resources_of(device.family, made.cells);
  return made;
}

}  // namespace halftone::rtl
