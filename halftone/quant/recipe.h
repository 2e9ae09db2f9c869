// How a network is to be quantized.
#pragma once

#include <string>
#include <vector>

#include "halftone/numeric/bias.h"
#include "halftone/numeric/codebook.h"
#include "halftone/numeric/quant_params.h"
#include "halftone/numeric/arithmetic_spec.h"
#include "halftone/calibration/observer.h"

namespace halftone::quant {

// Which integers stand for weights: on a uniform grid, or docs/arithmetic.md section 1's other ones.
enum class WeightCode { affine, binary, ternary, k_means, log2 };

// Whether they are entries of a table, for 2^bits of them (numeric/codebook.h).
constexpr bool is_codebook(WeightCode code) { return code == WeightCode::k_means || code == WeightCode::log2; }
constexpr numeric::CodebookKind codebook_of(WeightCode code) {
  return code == WeightCode::k_means ? numeric::CodebookKind::k_means : numeric::CodebookKind::log2;
}

inline constexpr int kMostInputs = 1 << 24;  // of a group

enum class WeightRange {
  min_max,             // every weight within the range
  mean_squared_error,   // clipped where that lowers the error (weight_clip.h)
  mean_absolute_error,  // Qiu et al.'s argmin Σ|w − w(bw, fl)| with power-of-two scales
  fixed,                // all that the format holds at the scale 2^−fraction_length
};

enum class WeightRounding {
  nearest,
  adaround,        // rounding.h
  error_feedback,  // rounding.h
};

// b ← b − E[what quantization adds], by channel.
enum class BiasCorrection {
  none,
  measured,  // reconstruct.h
  analytic,  // correct_biases.h
};

// Weights of 1 to 16 bits; binary and ternary ones have a format of their own, of codebooks it has the bits alone.
struct WeightRecipe {
  WeightCode code = WeightCode::affine;
  numeric::IntegerFormat format{8, true, true};
  numeric::Scheme scheme = numeric::Scheme::symmetric;
  bool power_of_two = false;
  numeric::Granularity granularity = numeric::Granularity::channel;
  int group_size = 0;  // of granularity group: inputs (input channels of a Conv) that share a scale
  WeightRange range = WeightRange::min_max;
  int fraction_length = 0;  // of WeightRange::fixed
  WeightRounding rounding = WeightRounding::nearest;
  int bias_bits = numeric::kWholeBias;  // or 2 to 16: docs/arithmetic.md section 5
  bool operator==(const WeightRecipe&) const = default;
};

// Bits of one integer: 1 of binary weights, 2 of ternary ones.
int bits_of(const WeightRecipe& weights);

// Activations of 1 to 16 bits, each tensor with one scale. What only tables read (a sum before Tanh) has 8
// bits at least, unless a rule names it: it is looked up, and multiplies nothing.
struct ActivationRecipe {
  numeric::IntegerFormat format{8, true, false};
  numeric::Scheme scheme = numeric::Scheme::asymmetric;
  bool power_of_two = false;
  calibration::ObserverChoice observer;
  bool operator==(const ActivationRecipe&) const = default;
};

// Other settings for the linear layers that a pattern matches (* is any text, ? any character), by the name of
// the node or of its weights; "<first>" and "<last>" are the first and the last of them. A rule by which they stay float matches
// nodes without weights too, by their names: weights get no integers then, nor inputs that nothing in integers gives or takes.
struct LayerRule {
  std::string layer;
  WeightRecipe weights;      // as the recipe's own where they stay float
  bool stays_float = false;
  bool operator==(const LayerRule&) const = default;
};

// Other settings for activations, by the name of the value; "<input>" are the network's inputs, "<output>" its
// outputs and what its float end takes (float_end.h), "<last>" what the last linear layer takes.
// A name has to match a quantized value.
struct TensorRule {
  std::string tensor;
  ActivationRecipe activations;
  bool operator==(const TensorRule&) const = default;
};

struct Recipe {
  WeightRecipe weights;
  ActivationRecipe activations;
  int sum_bits = 0;          // at least, of what sums and pools take, unless a rule names it; 0: as all activations. Layers with weights
                             // then have a copy of what sums take too (passes::copy_before_layers)
  bool weight_only = false;  // activations stay float
  bool dynamic = false;      // with weight_only: what linear layers take is quantized as it comes (quantize_dynamic.h)
  std::vector<LayerRule> layers;    // of several that match, the last counts
  std::vector<TensorRule> tensors;  // likewise; values that share a scale follow any of them
  bool equalize = false;            // passes::equalize_cross_layer before calibration
  double smooth = 0.0;              // alpha of smooth.h; 0: not at all
  bool absorb_biases = false;       // absorb_biases.h
  double svd = 0.0;                 // rank of passes::split_gemm; 0: not at all
  BiasCorrection correct_bias = BiasCorrection::none;
  int adaround_steps = 2000;
  numeric::ArithmeticSpec arithmetic;
};

// Scales of weights and activations become powers of two, in every rule too.
void use_powers_of_two(Recipe& recipe);

// Throws UsageError naming what does not go together.
void check(const Recipe& recipe);

// "w8a8, weights symmetric by channel, activations asymmetric, fixed, 32-bit mantissa".
std::string describe(const Recipe& recipe);

}  // namespace halftone::quant
