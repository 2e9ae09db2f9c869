// The chips that hardware is made for, and what each holds.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::rtl {

enum class Family {
  xc7,     // resources alone: no open tool here places it, so no clock is ever told
  ecp5,    // placed and routed
  ice40,   // placed and routed
  osu018,  // standard cells: area and delay before layout
};

struct Resources {
  std::int64_t dsp = 0;
  std::int64_t lut = 0;
  std::int64_t ff = 0;
  std::int64_t bram = 0;  // in the device's own blocks: xc7 18 Kibit, ecp5 18 Kibit, ice40 4 Kibit
};

struct Device {
  std::string_view name;
  Family family;
  std::string_view part;  // as tools and vendors name it
  Resources has;          // of osu018 nothing: it is as large as it has to be
  int a_part = 24;        // a multiplier's operands, see library/SplitProduct.sv
  int b_part = 17;
};

std::span<const Device> devices();
// Throws UsageError naming all of them.
const Device& device(std::string_view name);

// "DSP 216 of 220, ..." of what is used, and what is over by how much; empty where it fits.
std::vector<std::string> excess_of(const Device& device, const Resources& used);

}  // namespace halftone::rtl
