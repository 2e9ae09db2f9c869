// Lab 6's three multipliers of matrices, each with one multiplier: float32 x float32, float32 x int8, and int8 x int8.
// library/SingleMultiplier.sv.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/rtl/array.h"
#include "halftone/rtl/simulation.h"

namespace halftone::rtl {

struct SingleMultiplier {
  ProductShape shape;
  int floats = 0;     // operands that are float32: of 1, A
  bool clamp = true;  // int8: the sum of 16 bits is clamped to 8 at the end; otherwise its low 8 bits are kept
};

// Throws UsageError for sizes that are no powers of two.
Top top_of(const SingleMultiplier& design);

// From the first element in to the last one out, both counted, when nothing waits.
std::int64_t cycles_of(const SingleMultiplier& design);

// a [rows][depth], b [depth][cols], row-major; bits of float32, or integers of 8 bits.
Job job_of(const SingleMultiplier& design, const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b);
// c [rows][cols]: sums in the order of k, from +0; float32 rounded after each product and each sum, int8 in 16 bits that wrap.
std::vector<std::uint32_t> expected_results(const SingleMultiplier& design, const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b);

struct SingleMultiplierChecks {
  std::uint64_t outputs = 0;
  std::uint64_t different = 0;
  std::int64_t cycles = 0;
};
// `products` products of random numbers, the first without stalls.
SingleMultiplierChecks check_single_multiplier(Simulation& simulation, const SingleMultiplier& design, int products, std::uint64_t seed);

}  // namespace halftone::rtl
