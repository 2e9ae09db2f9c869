// Integers of any number of bits up to 64, as files of a testbench hold them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/tensor.h"

namespace halftone::testbench {

struct IntegerArray {
  Shape shape;
  std::vector<std::int64_t> values;  // row-major
  int bits = 8;                      // each fits: two's complement, or unsigned
  bool is_signed = true;
};

// As few bits of two's complement as hold all, 1 at least.
int least_bits(std::span<const std::int64_t> values);

// From integers of any type that NumPy knows.
IntegerArray array_of(const Tensor& integers, int bits, bool is_signed);

// Bits of the type that NumPy and C hold them in: 8, 16, 32 or 64.
int held_bits(int bits);
Tensor as_tensor(const IntegerArray& array);

// For $readmemh: a comment with `name`, which is plain text, shape and bits, then a word a line, its digits those of the bits in
// two's complement, the most significant first.
std::string mem_text(const IntegerArray& array, std::string_view name);

// Bytes of the .npy and .mem files of so many integers, but for their few first lines.
std::int64_t bytes_of_files(std::int64_t elements, int bits);

}  // namespace halftone::testbench
