#include "halftone/numeric/arithmetic_spec.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::numeric {
namespace {

constexpr std::string_view kVersion = "1";

}  // namespace

void write_arithmetic(const ArithmeticSpec& spec, Metadata& metadata) {
  metadata["halftone.arithmetic"] = numeric::name_of(spec.mode);
  metadata["halftone.arithmetic_version"] = kVersion;
  metadata.erase("halftone.mantissa_bits");
  metadata.erase(std::string(kRoundingKey));
  if (spec.rounding != numeric::Rounding::half_even)
    metadata[std::string(kRoundingKey)] = numeric::name_of(spec.rounding);
  if (spec.mode == numeric::Arithmetic::fixed)
    metadata["halftone.mantissa_bits"] = std::to_string(spec.mantissa_bits);
}

ArithmeticSpec read_arithmetic(const Metadata& metadata) {
  ArithmeticSpec spec;
  const auto mode = metadata.find("halftone.arithmetic");
  if (mode == metadata.end()) {
    spec.mode = numeric::Arithmetic::onnx;
    return spec;
  }
  const auto version = metadata.find("halftone.arithmetic_version");
  if (version == metadata.end() || version->second != kVersion)
    throw UnsupportedError("metadata",
                           fmt::format("arithmetic version '{}', expected {}",
                                       version == metadata.end() ? "" : version->second, kVersion));
  const auto rounding = metadata.find(std::string(kRoundingKey));
  try {
    spec.mode = numeric::arithmetic_from(mode->second);
    if (rounding != metadata.end()) spec.rounding = numeric::rounding_from(rounding->second);
  } catch (const UsageError& error) {
    throw InputError("metadata", error.what());
  }
  if (spec.mode == numeric::Arithmetic::onnx && spec.rounding != numeric::Rounding::half_even)
    throw InputError("metadata", fmt::format("rounding '{}' in arithmetic onnx, expected half_even", rounding->second));
  const auto bits = metadata.find("halftone.mantissa_bits");
  if (spec.mode != numeric::Arithmetic::fixed || bits == metadata.end()) return spec;
  if (bits->second != "8" && bits->second != "16" && bits->second != "32")
    throw InputError("metadata", fmt::format("mantissa_bits '{}', expected 8, 16 or 32", bits->second));
  spec.mantissa_bits = std::stoi(bits->second);
  return spec;
}

std::string describe(const ArithmeticSpec& spec) {
  std::string text(numeric::name_of(spec.mode));
  if (spec.mode == numeric::Arithmetic::fixed) text += fmt::format(", {}-bit mantissa", spec.mantissa_bits);
  if (spec.rounding != numeric::Rounding::half_even) text += fmt::format(", rounded {}", numeric::name_of(spec.rounding));
  return text;
}

}  // namespace halftone::numeric
