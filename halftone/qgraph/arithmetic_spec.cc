#include "halftone/qgraph/arithmetic_spec.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::qgraph {
namespace {

constexpr std::string_view kVersion = "1";

}  // namespace

void write_arithmetic(const ArithmeticSpec& spec, Metadata& metadata) {
  metadata["halftone.arithmetic"] = numeric::name_of(spec.mode);
  metadata["halftone.arithmetic_version"] = kVersion;
  metadata.erase("halftone.mantissa_bits");
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
  try {
    spec.mode = numeric::arithmetic_from(mode->second);
  } catch (const UsageError& error) {
    throw InputError("metadata", error.what());
  }
  const auto bits = metadata.find("halftone.mantissa_bits");
  if (spec.mode != numeric::Arithmetic::fixed || bits == metadata.end()) return spec;
  if (bits->second != "8" && bits->second != "16" && bits->second != "32")
    throw InputError("metadata", fmt::format("mantissa_bits '{}', expected 8, 16 or 32", bits->second));
  spec.mantissa_bits = std::stoi(bits->second);
  return spec;
}

std::string describe(const ArithmeticSpec& spec) {
  if (spec.mode != numeric::Arithmetic::fixed) return std::string(numeric::name_of(spec.mode));
  return fmt::format("fixed, {}-bit mantissa", spec.mantissa_bits);
}

}  // namespace halftone::qgraph
