#include "halftone/rtl/device.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::rtl {

std::span<const Device> devices() {
  static constexpr Device kDevices[] = {
      // Xilinx DS190 and DS180: a block RAM of 36 Kibit counts as two.
      {"xc7z020", Family::xc7, "xc7z020clg400-1", {220, 53'200, 106'400, 280}},
      {"xc7z010", Family::xc7, "xc7z010clg400-1", {80, 17'600, 35'200, 120}},
      {"xc7a35t", Family::xc7, "xc7a35tcpg236-1", {90, 20'800, 41'600, 100}},
      {"xc7a100t", Family::xc7, "xc7a100tcsg324-1", {240, 63'400, 126'800, 270}},
      // Lattice FPGA-DS-02012 (LFE5U-85F) and FPGA-DS-02008 (iCE40 UP5K).
      {"ecp5-85", Family::ecp5, "LFE5U-85F-8CABGA756", {156, 83'640, 83'640, 208}, 17, 17},
      {"up5k", Family::ice40, "iCE40UP5K-SG48", {8, 5'280, 5'280, 30}, 15, 15},
      {"osu018", Family::osu018, "OSU 0.18 um standard cells", {}, 24, 17},
  };
  return kDevices;
}

const Device& device(std::string_view name) {
  std::string names;
  for (const Device& each : devices()) {
    if (each.name == name) return each;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
  }
  throw UsageError("--device", fmt::format("got '{}', expected one of {}", name, names));
}

std::vector<std::string> excess_of(const Device& device, const Resources& used) {
  std::vector<std::string> excess;
  if (device.family == Family::osu018) return excess;
  const auto judge = [&](const char* what, std::int64_t has, std::int64_t needs) {
    if (needs > has) excess.push_back(fmt::format("{} {} of {}: {} too many", needs, what, has, needs - has));
  };
  judge("DSP", device.has.dsp, used.dsp);
  judge("LUT", device.has.lut, used.lut);
  judge("FF", device.has.ff, used.ff);
  judge("BRAM", device.has.bram, used.bram);
  return excess;
}

}  // namespace halftone::rtl
