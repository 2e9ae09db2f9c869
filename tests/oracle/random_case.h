// One random layer: what CASES.md calls a case, before anything is computed.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "halftone/base/tensor.h"
#include "halftone/numeric/affine.h"
#include "halftone/numeric/requantize.h"

namespace halftone::oracle {

// The same numbers from any standard library: only the engine's own output is used.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::int64_t integer(std::int64_t lo, std::int64_t hi) {
    return lo + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(hi - lo + 1));
  }
  double real(double lo, double hi) {
    return lo + (hi - lo) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  bool chance(double p) { return real(0, 1) < p; }
  template <typename T>
  T one_of(const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(integer(0, static_cast<std::int64_t>(choices.size()) - 1))];
  }

 private:
  std::mt19937_64 engine_;
};

struct ActivationCase {
  numeric::IntegerFormat format;
  std::string scheme;  // asymmetric, symmetric, fixed_point
  bool power_of_two = false;
  int fraction_length = 0;
  numeric::Range range;
  numeric::Affine affine() const;
  nlohmann::json json() const;
};

struct WeightCase {
  std::string kind;  // affine, fixed_point, binary, ternary, codebook
  numeric::IntegerFormat format;
  std::string scheme = "symmetric";
  bool power_of_two = false;
  std::string granularity = "tensor";
  std::int64_t group_size = 0;
  int fraction_length = 0;
  std::vector<std::int32_t> codebook;
  float codebook_scale = 1.0F;
  nlohmann::json json() const;
};

struct Case {
  std::string op;
  numeric::Arithmetic arithmetic = numeric::Arithmetic::fixed;
  int mantissa_bits = 32;
  numeric::Rounding rounding = numeric::Rounding::half_even;
  ActivationCase x;
  ActivationCase x2;
  ActivationCase y;
  WeightCase w;
  int bias_bits = 0;
  std::string activation = "none";
  float clip_lo = 0;
  float clip_hi = 0;
  std::string function;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> dilations;
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> output_padding;
  std::int64_t groups = 1;
  bool count_include_pad = false;
  Tensor input;
  Tensor input2;
  Tensor weights;
  Tensor bias;
  bool is_transposed() const { return op == "conv_transpose"; }
  bool is_linear() const { return op == "gemm" || op == "conv" || is_transposed(); }
  bool is_pair() const { return op == "add" || op == "sub" || op == "mul"; }
  // The dimension of the weights that counts output channels, of one group where they are transposed.
  int weight_axis() const { return is_transposed() ? 1 : 0; }
  std::int64_t channels() const { return is_transposed() ? weights.dim(1) * groups : weights.dim(0); }
  nlohmann::json json(std::int64_t id) const;
};

Case random_case(Random& random);

}  // namespace halftone::oracle
