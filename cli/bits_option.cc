#include "cli/bits_option.h"

#include <fmt/format.h>

#include <regex>

#include "halftone/base/error.h"

namespace halftone::cli {

Bits parse_bits(const std::string& where, const std::string& text) {
  static const std::regex kForm("w([0-9]{1,2}|t)(a([0-9]{1,2}))?");
  std::smatch parts;
  Bits bits;
  if (!std::regex_match(text, parts, kForm))
    throw UsageError(where, fmt::format("got '{}', expected as w4a8, w4 (weights only), w1a8 (binary) or "
                                        "wta8 (ternary)",
                                        text));
  if (parts[1] == "t")
    bits.code = quant::WeightCode::ternary;
  else if (parts[1] == "1")
    bits.code = quant::WeightCode::binary;
  else
    bits.weights = std::stoi(parts[1]);
  if (parts[3].matched) bits.activations = std::stoi(parts[3]);
  return bits;
}

void set_bits(quant::WeightRecipe& weights, const Bits& bits) {
  if (!quant::is_codebook(weights.code)) weights.code = bits.code;
  if (bits.code == quant::WeightCode::affine) weights.format.bits = bits.weights;
}

void set_granularity(quant::WeightRecipe& weights, const std::string& text) {
  static const std::regex kGroup("group=([1-9][0-9]{0,7})");
  std::smatch parts;
  if (std::regex_match(text, parts, kGroup)) {
    weights.granularity = numeric::Granularity::group;
    weights.group_size = std::stoi(parts[1]);
    return;
  }
  if (text != "tensor" && text != "channel")
    throw UsageError("--granularity", fmt::format("got '{}', expected tensor, channel or group=INPUTS", text));
  weights.granularity = text == "tensor" ? numeric::Granularity::tensor : numeric::Granularity::channel;
}

}  // namespace halftone::cli
