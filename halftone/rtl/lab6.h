// Lab 6's figures, and a closed model of its latencies.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "halftone/rtl/array.h"
#include "halftone/rtl/device.h"

namespace halftone::rtl {

// As its report has them: three designs of a closed tool for a Zynq-7020 (280 BRAM_18K, 220 DSP, 106,400 FF, 53,200 LUT), a target of 10 ns.
struct Lab6Design {
  std::string_view name;
  double clock_ns;
  std::int64_t latency;   // cycles, loading and storing included
  std::int64_t interval;  // cycles
  Resources used;
  int initiation;  // cycles between products of one sum: II
  int overhead;    // c of the model
};
std::span<const Lab6Design> lab6_designs();
inline constexpr double kLab6TargetNs = 10.0;

// interval = rows·cols·(depth·II + 6) + c; latency = interval + load (the larger operand, an element a cycle) + store + 6. Meets the report's
// figures at 64x128x64.
std::int64_t lab6_interval(const Lab6Design& design, const ProductShape& shape);
std::int64_t lab6_latency(const Lab6Design& design, const ProductShape& shape);

}  // namespace halftone::rtl
