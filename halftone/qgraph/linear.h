// The integer weights of a Gemm, MatMul or Conv with their bias, accumulator and requantization.
// docs/arithmetic.md sections 4 to 6.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/numeric/codebook.h"
#include "halftone/numeric/quant_params.h"
#include "halftone/qgraph/requantizer.h"

namespace halftone::qgraph {

// The parts that a linear layer is made from.
struct LinearSpec {
  std::string name;
  numeric::QuantParams x;                     // per tensor
  Tensor q_w;                                 // [M, ...]; channel axis 0
  numeric::QuantParams w;                     // axis 0, or per tensor
  std::optional<numeric::Codebook> codebook;  // then q_w are its indices
  std::vector<std::int64_t> q_b;              // [M] or empty; integer bias, without its shift
  std::vector<int> b_shift;                   // [M] or empty; of a bias of fewer bits
  std::vector<float> b;    // real bias [M]; group granularity only, where q_b follows from it here
  numeric::QuantParams y;  // per tensor
  std::int32_t lo = 0;     // bounds of y after folding ReLU or Clip
  std::int32_t hi = 0;
  numeric::ArithmeticSpec arithmetic;
};

struct Linear {
  std::string name;
  Tensor q_w;                                 // [M, ...] as stored: K = the product of what follows M
  numeric::QuantParams w_params;
  std::optional<numeric::Codebook> codebook;  // then q_w are its indices
  std::int64_t channels = 0;        // M
  std::int64_t reduction = 0;       // K: products in one sum
  std::int64_t group_size = 0;      // 0: no groups
  std::vector<std::int64_t> bias;   // [M], as it is added
  std::vector<std::int64_t> bound;  // [M]: of every partial sum
  bool wide = false;                // the accumulator is int64
  // With groups: Σ_g acc_g·group_m[channel·blocks + g], then `requantizer` is a Shift.
  std::vector<std::int64_t> group_m;
  Requantizer requantizer;
};

// [M][K]: q_w − z_w, or the codebook's entries.
std::vector<std::int32_t> centred_weights(const Linear& linear);

// Throws InputError naming the layer when a sum does not fit (2^47; with groups 2^62), or the bias does not.
Linear make_linear(const LinearSpec& spec);

// max(qmin, quantize(lo)) and min(qmax, quantize(hi)) in y's scale. docs/arithmetic.md section 6.
void fold_clip(float lo, float hi, const numeric::QuantParams& y, std::int32_t& q_lo, std::int32_t& q_hi,
               numeric::Rounding rounding);

}  // namespace halftone::qgraph
