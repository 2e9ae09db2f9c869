// One product of matrices on designs of all kinds: cycles, resources, energy, and whether every result is right.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/rtl/array.h"
#include "halftone/rtl/device.h"

namespace halftone::rtl {

struct CompareRow {
  std::string design;
  std::string bits;         // "8x8"
  std::string array;        // "32x13"; of one multiplier "1x1"
  int bytes_a_cycle = 0;    // that all streams in share; 0: an element a cycle of each
  std::int64_t cycles = 0;  // simulated
  std::int64_t predicted = 0;
  std::int64_t bound = 0;
  std::optional<Resources> used;       // by Yosys, where it was asked for
  std::vector<std::string> excess;     // of the device
  double arithmetic_nj = 0;
  double memory_nj = 0;
  double arithmetic_mm2 = 0;
  std::uint64_t outputs = 0;  // compared
  std::uint64_t different = 0;
};

struct CompareOptions {
  ProductShape shape;
  std::uint64_t outputs = 20'000;  // to compare, of each design
  std::uint64_t seed = 1;
  const Device* synthesize_for = nullptr;  // none: resources stay open
  std::filesystem::path kept;
  std::function<void(double, std::string_view)> progress;  // fraction done, what comes next
};

// Three designs of one multiplier, and arrays of 8, 4, 2 and 1 bit with 32, 21 and 16 bytes a cycle.
std::vector<CompareRow> compare(const CompareOptions& options);

}  // namespace halftone::rtl
