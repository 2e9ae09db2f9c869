// Weights whose integers come from a table: not on a uniform grid. docs/arithmetic.md section 1.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/numeric/quant_params.h"

namespace halftone::numeric {

// r = s·c[q]: q indexes a table of integers, and products use c[q].
struct Codebook {
  std::vector<std::int32_t> entries;  // each in int16; 1 to 65,536 of them
  float scale = 1.0F;
};

// The q whose s·c[q] lies nearest to w, compared in double; among equally near ones the smallest q.
std::int32_t nearest_code(float w, const Codebook& codebook);

// How a table is chosen, for 2^bits entries at most:
// k_means: the c that minimise Σ s²·(w/s − c[q])², by Lloyd's iterations from evenly spaced starts (Han et al., Deep
//   Compression, ICLR 2016, section 3.1), rounded to int8; s = max|w|/127. 1 to 8 bits.
// log2: 0 and ±2^j, j = 0 … 2^(bits−1) − 2 (Miyashita et al., Convolutional Neural Networks using Logarithmic Data
//   Representation, 2016): products are shifts. s = max|w|/2^j of the largest. 2 to 5 bits.
enum class CodebookKind { k_means, log2 };

// Throws UsageError for bits that tables of the kind do not have.
void check(CodebookKind kind, int bits);

struct CodebookWeights {
  QuantParams params;                 // s by tensor or channel, zero point 0; the format of the entries
  std::vector<std::int32_t> entries;  // ascending, all different
  Tensor integers;                    // c[q], shape of the weights
};

// One table for all weights of the tensor, scales as params_from_weights gives them (with `power_of_two` up to a power
// of two). Throws UsageError for bits out of range and for Granularity::group, InputError for NaN or infinity.
CodebookWeights codebook_weights(const Tensor& weights, CodebookKind kind, int bits, Granularity granularity, int axis,
                                 bool power_of_two = false);

}  // namespace halftone::numeric
