#include "halftone/quant/bits.h"

#include <fmt/format.h>

#include <regex>

#include "halftone/base/error.h"

namespace halftone::quant {

Bits parse_bits(const std::string& where, const std::string& text) {
  static const std::regex kForm("w([0-9]{1,2}|t)(a([0-9]{1,2}))?");
  std::smatch parts;
  Bits bits;
  if (!std::regex_match(text, parts, kForm))
    throw UsageError(where, fmt::format("got '{}', expected as w4a8, w4 (weights only), w1a8 (binary) or "
                                        "wta8 (ternary)",
                                        text));
  if (parts[1] == "t")
    bits.code = WeightCode::ternary;
  else if (parts[1] == "1")
    bits.code = WeightCode::binary;
  else
    bits.weights = std::stoi(parts[1]);
  if (parts[3].matched) bits.activations = std::stoi(parts[3]);
  return bits;
}

bool has_few(const Bits& bits) {
  return bits.code != WeightCode::affine || bits.weights < 8 || bits.activations.value_or(8) < 8;
}

void set_bits(WeightRecipe& weights, const Bits& bits) {
  if (!is_codebook(weights.code)) weights.code = bits.code;
  if (bits.code == WeightCode::affine) weights.format.bits = bits.weights;
}

void set_bits(Recipe& recipe, const Bits& bits) {
  set_bits(recipe.weights, bits);
  recipe.activations.format.bits = bits.activations.value_or(8);
  recipe.weight_only = !bits.activations;
}

void set_granularity(WeightRecipe& weights, const std::string& where, const std::string& text) {
  static const std::regex kGroup("group=([1-9][0-9]{0,7})");
  std::smatch parts;
  if (std::regex_match(text, parts, kGroup)) {
    weights.granularity = numeric::Granularity::group;
    weights.group_size = std::stoi(parts[1]);
    return;
  }
  if (text != "tensor" && text != "channel")
    throw UsageError(where, fmt::format("got '{}', expected tensor, channel or group=INPUTS", text));
  weights.granularity = text == "tensor" ? numeric::Granularity::tensor : numeric::Granularity::channel;
}

Defaults defaults_for(const Bits& bits, bool few) {
  Defaults defaults;
  if (!few) return defaults;
  defaults.observer = "mse";
  if (bits.code == WeightCode::affine) defaults.weight_range = WeightRange::mean_squared_error;
  defaults.rounding = WeightRounding::error_feedback;
  defaults.correct_bias = BiasCorrection::measured;
  if (bits.activations < 8) defaults.output_bits = 8;
  return defaults;
}

void set_output_bits(Recipe& recipe, int bits) {
  ActivationRecipe activations = recipe.activations;
  activations.format.bits = bits;
  recipe.tensors.push_back({"<output>", activations});
}

Recipe recipe_for(const std::string& text) {
  const Bits bits = parse_bits("bits", text);
  const Defaults defaults = defaults_for(bits, bits.activations && has_few(bits));
  Recipe recipe;
  set_bits(recipe, bits);
  recipe.weights.range = defaults.weight_range;
  recipe.weights.rounding = defaults.rounding;
  recipe.activations.observer = calibration::parse_observer(defaults.observer);
  recipe.correct_bias = defaults.correct_bias;
  if (defaults.output_bits) set_output_bits(recipe, *defaults.output_bits);
  check(recipe);
  return recipe;
}

}  // namespace halftone::quant
