#include "halftone/quant/recipe.h"

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/passes/pass.h"
#include "halftone/quant/recipe_names.h"

namespace halftone::quant {
namespace {

bool is_shift(const Recipe& recipe) { return recipe.arithmetic.mode == numeric::Arithmetic::shift; }

void check_groups(const WeightRecipe& weights, const Recipe& recipe) {
  if (weights.group_size < 1 || weights.group_size > kMostInputs)
    throw UsageError("recipe", fmt::format("groups of {} inputs, expected 1 to {}", weights.group_size, kMostInputs));
  if (weights.code != WeightCode::affine)
    throw UsageError("recipe", fmt::format("{} weights by group, expected by tensor or channel",
                                           name_in(kCodeNames, weights.code)));
  if (recipe.arithmetic.mode == numeric::Arithmetic::onnx)
    throw UsageError("recipe", "weights by group in arithmetic onnx, expected fixed or shift");
}

void check_codebook(const WeightRecipe& weights) {
  numeric::check(codebook_of(weights.code), weights.format.bits);
  if (weights.rounding != WeightRounding::nearest)
    throw UsageError("recipe", fmt::format("{} weights are the nearest entries of a table: neither adaround nor error "
                                           "feedback takes them", name_in(kCodeNames, weights.code)));
}

void check_weights(const WeightRecipe& weights, const Recipe& recipe) {
  if (!is_codebook(weights.code)) numeric::check(weights.format);
  if (weights.granularity == numeric::Granularity::group) check_groups(weights, recipe);
  if (weights.code != WeightCode::affine && weights.range != WeightRange::min_max)
    throw UsageError("recipe", fmt::format("{} weights have no range to be clipped", name_in(kCodeNames, weights.code)));
  if (weights.code != WeightCode::affine && weights.scheme == numeric::Scheme::asymmetric)
    throw UsageError("recipe", fmt::format("{} weights have no zero point, expected symmetric", name_in(kCodeNames, weights.code)));
  if (is_codebook(weights.code)) check_codebook(weights);
  if (is_shift(recipe) && !weights.power_of_two)
    throw UsageError("recipe", "arithmetic shift without power-of-two scales");
  if (weights.bias_bits == numeric::kWholeBias) return;
  if (weights.bias_bits < 2 || weights.bias_bits > numeric::kMaxBits)
    throw UsageError("recipe", fmt::format("biases of {} bits, expected 2 to 16, or 32", weights.bias_bits));
  if (weights.granularity == numeric::Granularity::group)
    throw UsageError("recipe", "biases of fewer bits with weights by group, whose biases stay float in the file");
  if (recipe.arithmetic.mode == numeric::Arithmetic::onnx)
    throw UsageError("recipe", "biases of fewer than 32 bits in arithmetic onnx, expected fixed or shift");
}

void check_activations(const ActivationRecipe& activations, const Recipe& recipe) {
  numeric::check(activations.format);
  if (activations.format.bits == 1 && activations.format.is_signed && activations.scheme == numeric::Scheme::symmetric)
    throw UsageError("recipe", "symmetric activations of 1 bit, which hold no positive value, expected asymmetric ones");
  if (is_shift(recipe) && !activations.power_of_two)
    throw UsageError("recipe", "arithmetic shift without power-of-two scales");
}

std::string bits_text(const WeightRecipe& weights) {
  switch (weights.code) {
    case WeightCode::binary:
      return "w1";
    case WeightCode::ternary:
      return "wt";
    case WeightCode::affine:
    case WeightCode::k_means:
    case WeightCode::log2:
      return fmt::format("w{}", weights.format.bits);
  }
  return "";
}

std::string granularity_of(const WeightRecipe& weights) {
  const std::string_view name = name_in(kGranularityNames, weights.granularity);
  return weights.granularity == numeric::Granularity::group ? fmt::format("{} of {}", name, weights.group_size)
                                                            : std::string(name);
}

std::string range_of(const WeightRecipe& weights) {
  if (weights.range == WeightRange::min_max) return "";
  if (weights.range == WeightRange::fixed) return fmt::format("fixed={}", weights.fraction_length);
  return std::string(name_in(kRangeNames, weights.range));
}

std::string describe(const WeightRecipe& weights) {
  return fmt::format("weights {}{} by {}{}{}{}{}", weights.power_of_two ? "power-of-two " : "",
                     weights.code != WeightCode::affine ? name_in(kCodeNames, weights.code)
                                                           : name_in(kSchemeNames, weights.scheme),
                     granularity_of(weights),
                     weights.range == WeightRange::min_max ? "" : " clipped by ", range_of(weights),
                     weights.rounding == WeightRounding::nearest ? "" : ", rounded by ",
                     weights.rounding == WeightRounding::nearest ? "" : name_in(kRoundingNames, weights.rounding)) +
         (weights.bias_bits == numeric::kWholeBias ? "" : fmt::format(", biases of {} bits", weights.bias_bits));
}

}  // namespace

int bits_of(const WeightRecipe& weights) {
  if (weights.code == WeightCode::affine || is_codebook(weights.code)) return weights.format.bits;
  return weights.code == WeightCode::binary ? 1 : 2;
}

void use_powers_of_two(Recipe& recipe) {
  recipe.weights.power_of_two = recipe.activations.power_of_two = true;
  for (LayerRule& rule : recipe.layers) rule.weights.power_of_two = true;
  for (TensorRule& rule : recipe.tensors) rule.activations.power_of_two = true;
}

// Weights of a recipe whose activations are quantized as they come.
void check_dynamic(const WeightRecipe& weights) {
  if (!weights.format.is_signed)
    throw UsageError("recipe", "unsigned weights with dynamic ranges, expected signed ones");
  if (bits_of(weights) > 8 || (weights.code == WeightCode::log2 && weights.format.bits > 4))
    throw UsageError("recipe", "dynamic ranges take weights of 8 bits at most, as ONNX's operators do");
  if (weights.granularity == numeric::Granularity::group)
    throw UsageError("recipe", "weights by group with dynamic ranges, expected by tensor or channel");
}

void check(const Recipe& recipe) {
  check_weights(recipe.weights, recipe);
  check_activations(recipe.activations, recipe);
  for (const LayerRule& rule : recipe.layers) check_weights(rule.weights, recipe);
  for (const TensorRule& rule : recipe.tensors) check_activations(rule.activations, recipe);
  const int mantissa = recipe.arithmetic.mantissa_bits;
  if (recipe.arithmetic.mode == numeric::Arithmetic::fixed && mantissa != 8 && mantissa != 16 &&
      mantissa != 32)
    throw UsageError("recipe", fmt::format("mantissa of {} bits, expected 8, 16 or 32", mantissa));
  if (recipe.arithmetic.mode == numeric::Arithmetic::onnx && recipe.arithmetic.rounding != numeric::Rounding::half_even)
    throw UsageError("recipe", fmt::format("rounding {} in arithmetic onnx, expected half_even",
                                           numeric::name_of(recipe.arithmetic.rounding)));
  if (recipe.arithmetic.rounding == numeric::Rounding::floor)
    throw UsageError("recipe", "rounding floor, expected half_even, half_away or half_up: with floor, integers quantized again "
                               "are not always the same, and no simulation agrees");
  if (recipe.weight_only && (recipe.arithmetic.rounding != numeric::Rounding::half_even ||
                             recipe.weights.bias_bits != numeric::kWholeBias))
    throw UsageError("recipe", "a rounding, or bits of biases, of activations and biases that stay float");
  if (recipe.weight_only && recipe.arithmetic.mode != numeric::Arithmetic::fixed)
    throw UsageError("recipe", fmt::format("arithmetic {} of results that stay float, expected fixed",
                                           numeric::name_of(recipe.arithmetic.mode)));
  if (recipe.weight_only && recipe.sum_bits > 0) throw UsageError("recipe", "bits of sums, of activations that stay float");
  if (recipe.weight_only && !recipe.tensors.empty())
    throw UsageError("recipe", "activations that stay float, and settings for some of them");
  if (recipe.dynamic) {
    if (!recipe.weight_only) throw UsageError("recipe", "dynamic ranges and weight_only = false");
    check_dynamic(recipe.weights);
    for (const LayerRule& rule : recipe.layers) check_dynamic(rule.weights);
  }
  if (!(recipe.smooth >= 0.0 && recipe.smooth <= 1.0))
    throw UsageError("recipe", fmt::format("smooth, got {}, expected 0 to 1", recipe.smooth));
  if (recipe.smooth > 0.0 && recipe.equalize)
    throw UsageError("recipe", "equalize and smooth both choose the scale between layers, expected one of them");
  if (recipe.svd != 0.0 && !passes::is_rank(recipe.svd))
    throw UsageError("recipe", fmt::format("svd, got {}, expected a rank from 1, or a part of the energy below 1",
                                           recipe.svd));
  if (recipe.adaround_steps < 1)
    throw UsageError("recipe",
                     fmt::format("steps of adaround, got {}, expected 1 or more", recipe.adaround_steps));
}

std::string describe(const Recipe& recipe) {
  std::string text = bits_text(recipe.weights);
  if (!recipe.weight_only) text += fmt::format("a{}", recipe.activations.format.bits);
  if (recipe.dynamic) text += "a8";
  text += ", " + describe(recipe.weights);
  if (recipe.weight_only)
    text += recipe.dynamic ? ", activations dynamic" : ", activations float";
  else
    text += fmt::format(", activations {}{} by {}", recipe.activations.power_of_two ? "power-of-two " : "",
                        name_in(kSchemeNames, recipe.activations.scheme), describe(recipe.activations.observer));
  if (recipe.sum_bits > 0) text += fmt::format(", sums of {} bits", recipe.sum_bits);
  if (!recipe.layers.empty() || !recipe.tensors.empty())
    text += fmt::format(", {} exceptions", recipe.layers.size() + recipe.tensors.size());
  if (recipe.equalize) text += ", equalized";
  if (recipe.smooth > 0.0) text += fmt::format(", smoothed by {}", recipe.smooth);
  if (recipe.absorb_biases) text += ", biases absorbed";
  if (recipe.svd > 0.0) text += fmt::format(", split by SVD to {}", recipe.svd);
  if (recipe.correct_bias == BiasCorrection::measured) text += ", biases corrected";
  if (recipe.correct_bias == BiasCorrection::analytic) text += ", biases corrected analytically";
  return text + ", " + numeric::describe(recipe.arithmetic);
}

}  // namespace halftone::quant
