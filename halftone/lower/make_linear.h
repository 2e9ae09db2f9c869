// Weights, bias, bound of the accumulator and requantization of a linear layer, from the numbers of its file.
// docs/arithmetic.md sections 4 to 6.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "halftone/numeric/arithmetic_spec.h"
#include "halftone/qgraph/linear.h"

namespace halftone::lower {

// The parts that a linear layer is made from.
struct LinearSpec {
  std::string name;
  numeric::Grid x;
  Tensor q_w;                                 // [M, ...]; channel axis 0
  numeric::QuantParams w;                     // axis 0, or per tensor
  std::vector<std::int32_t> codebook;  // a table in which q_w are places, each in int16; empty: none
  std::vector<std::int64_t> q_b;              // [M] or empty; integer bias, without its shift
  std::vector<int> b_shift;                   // [M] or empty; of a bias of fewer bits
  std::vector<float> b;    // real bias [M]; group granularity only, where q_b follows from it here
  numeric::Grid y;
  std::int32_t lo = 0;     // bounds of y after folding ReLU or Clip
  std::int32_t hi = 0;
  numeric::ArithmeticSpec arithmetic;
};

// Throws InputError naming the layer when a sum does not fit (2^47; with groups 2^62), or the bias does not.
qgraph::Linear make_linear(const LinearSpec& spec);

// max(qmin, quantize(lo)) and min(qmax, quantize(hi)) in y's scale. docs/arithmetic.md section 6.
void fold_clip(float lo, float hi, const numeric::Grid& y, std::int32_t& q_lo, std::int32_t& q_hi,
               numeric::Rounding rounding);

}  // namespace halftone::lower
