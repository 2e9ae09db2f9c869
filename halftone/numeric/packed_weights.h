// Weights packed into bytes, as `export --packed` writes them. docs/arithmetic.md section 1.
#pragma once

#include "halftone/base/tensor.h"

namespace halftone::numeric {

struct PackedWeights {
  Tensor bytes;  // uint8 [rows, bytes of a row]
  Tensor shape;  // int64, before packing
  Tensor bits;   // int64, one number
};

// Bits of one packed integer: those of its type; 1 for two bits that are all −1 or +1.
int packed_bits(const Tensor& integers);

// Rows are those of the first dimension, everything behind it in row-major order; low bits and low bytes
// first.
PackedWeights pack_rows(const Tensor& integers);

}  // namespace halftone::numeric
