// The array that multiplies matrices: its geometry, its widths, and how a product is cut into its tiles.
#pragma once

#include <cstdint>
#include <string>

#include "halftone/numeric/rounding.h"
#include "halftone/rtl/top.h"

namespace halftone::rtl {

// C[rows][cols] = A[rows][depth]·B[depth][cols].
struct ProductShape {
  std::int64_t rows = 64;
  std::int64_t depth = 128;
  std::int64_t cols = 64;
};

// The parameters of MatmulArray (library/MatmulArray.sv).
struct ArrayGeometry {
  int rows = 8;
  int cols = 8;
  int bits = 8;       // of both operands: 8, 4, 2, or 1 (weights of -1 and +1, activations of 0 and 1)
  bool pair = false;  // two products a multiplier, of 8 bits
  int lanes = 2;      // requantizers
  int acc_width = 24;
  int mantissa = 16;
  numeric::Rounding rounding = numeric::Rounding::half_even;
  int a_depth = 256;     // words of A held: a power of two
  int b_depth = 1024;    // words of B held
  int parameters = 128;  // columns whose parameters are held
  int a_part = 24;       // widths of multipliers, see library/SplitProduct.sv
  int b_part = 17;

  int numbers_a_byte() const { return 8 / bits; }
  int latency() const { return pair || bits == 4 || bits == 2 ? 2 : 1; }  // of a product, library/ProcessingElement.sv
  int lines() const { return pair ? rows / 2 : rows; }
  int lines_a_group() const { return pair ? lanes / 2 : lanes; }
  int parameter_width() const { return acc_width + mantissa - 1 + kShiftWidth; }
  // Products a cycle.
  std::int64_t products() const { return std::int64_t{rows} * cols * numbers_a_byte(); }

  static constexpr int kShiftWidth = 6;
};

// Throws UsageError for what the modules refuse: rows that lanes do not divide, a pair of other than 8 bits, ...
void check(const ArrayGeometry& geometry);

// A product in words and tiles of an array.
struct Tiling {
  std::int64_t steps = 0;  // bytes along the depth
  std::int64_t row_tiles = 0;
  std::int64_t col_tiles = 0;

  std::int64_t a_words() const { return row_tiles * steps; }
  std::int64_t b_words() const { return col_tiles * steps; }
};
Tiling tiling_of(const ArrayGeometry& geometry, const ProductShape& shape);

// `geometry` with memories that hold a product: two row tiles of A, all of B, the parameters of all columns. Throws UsageError where one would be
// larger than 2^24 words.
ArrayGeometry with_memories_for(ArrayGeometry geometry, const ProductShape& shape);

// Bits of a sum of `depth` products of the format's largest operands and, for each `biases`, as much again; at least as check() asks for.
int acc_width_for(int bits, std::int64_t depth, int biases);

// "32x13".
std::string name_of(const ArrayGeometry& geometry);

Top top_of(const ArrayGeometry& geometry);

}  // namespace halftone::rtl
