// A product of matrices on the array: its numbers as words, what comes out, and what has to come out.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/numeric/requantize.h"
#include "halftone/rtl/array.h"
#include "halftone/rtl/simulation.h"

namespace halftone::rtl {

// y[m][n] = clamp(round_shift((Σ_k a[m][k]·b[k][n] + bias[n])·multiplier[n], shift[n]) + zero_point). docs/arithmetic.md section 6.
struct Product {
  ProductShape shape;
  std::vector<std::int32_t> a;  // [rows][depth]; with 1 bit 0 and 1
  std::vector<std::int32_t> b;  // [cols][depth], as weights are stored; with 1 bit -1 and +1
  std::vector<std::int64_t> bias;        // [cols]
  std::vector<std::int64_t> multiplier;  // [cols]
  std::vector<int> shift;                // [cols]
  numeric::OutputBounds bounds;
};

// Throws InputError for a number that does not fit: a bias or shift beyond the array's widths, an operand beyond its bits.
Job job_of(const ArrayGeometry& geometry, const Product& product);
// The plan of words for streams that share bytes: a's and b's first tile step by step; the rest of b, with the parameters one by one and
// a's second tile spread between; the rest of a.
void share_bytes(const ArrayGeometry& geometry, const Product& product, int bytes_a_cycle, Job& job);

// [rows][cols] from the words that came out.
std::vector<std::int32_t> results_of(const ArrayGeometry& geometry, const Product& product, const Words& out);
// The same by numeric::requantize_fixed.
std::vector<std::int32_t> expected_results(const ArrayGeometry& geometry, const Product& product);

}  // namespace halftone::rtl
