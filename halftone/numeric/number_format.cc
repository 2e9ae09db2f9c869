#include "halftone/numeric/number_format.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <vector>

#include "halftone/base/error.h"
#include "halftone/numeric/binary_text.h"

namespace halftone::numeric {
namespace {

constexpr std::string_view kKnown =
    "fixed:WL:FL, intB, intB:scale:zero_point, uintB, fp16, bf16, fp8e4m3 or fp8e5m2";

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

template <typename T>
T parse(std::string_view text, std::string_view whole) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw UsageError("number format", fmt::format("got '{}', expected {}", whole, kKnown));
  return value;
}

NumberFormat parse_fixed(const std::vector<std::string_view>& parts, std::string_view whole) {
  if (parts.size() != 3) throw UsageError("number format", fmt::format("got '{}', expected fixed:WL:FL", whole));
  IntegerNumbers numbers{.format = {parse<int>(parts[1], whole), true, false},
                         .fixed_point = true,
                         .fraction_length = parse<int>(parts[2], whole)};
  check(numbers.format);
  numbers.affine = fixed_point(numbers.fraction_length);
  return numbers;
}

NumberFormat parse_affine(const std::vector<std::string_view>& parts, bool is_signed,
                          std::string_view whole) {
  IntegerNumbers numbers{.format = {parse<int>(parts[0].substr(is_signed ? 3 : 4), whole), is_signed, false}};
  check(numbers.format);
  if (parts.size() > 3) throw UsageError("number format", fmt::format("got '{}', expected {}", whole, kKnown));
  if (parts.size() > 1) numbers.affine.scale = parse<float>(parts[1], whole);
  if (parts.size() > 2) numbers.affine.zero_point = parse<std::int32_t>(parts[2], whole);
  if (!std::isnormal(numbers.affine.scale) || numbers.affine.scale < 0)
    throw UsageError("number format",
                     fmt::format("scale {}, expected a normal float32 above 0", numbers.affine.scale));
  if (numbers.affine.zero_point < numbers.format.qmin() || numbers.affine.zero_point > numbers.format.qmax())
    throw UsageError("number format", fmt::format("zero point {}, expected {} to {}", numbers.affine.zero_point,
                                             numbers.format.qmin(), numbers.format.qmax()));
  return numbers;
}

// As in a network: the value as float32, one float32 division (docs/arithmetic.md section 3).
Rendered render_integer(double real, const IntegerNumbers& f) {
  const auto value = static_cast<float>(real);
  Rendered out;
  out.q = quantize(value, f.affine, f.format);
  const double unbounded =
      round_real(value / f.affine.scale, Rounding::half_even) + f.affine.zero_point;
  out.saturated = unbounded < f.format.qmin() || unbounded > f.format.qmax();
  out.value = dequantize(static_cast<std::int32_t>(out.q), f.affine);
  out.binary = binary_text(out.q, f.format.bits, f.fixed_point ? f.fraction_length : 0);
  out.hex = hex_text(out.q, f.format.bits);
  return out;
}

Rendered render_float(double real, const FloatFormat& f) {
  const std::uint32_t bits = encode(real, f);
  Rendered out{.value = decode(bits, f), .q = bits};
  out.saturated = std::isfinite(real) && !std::isfinite(out.value);
  const std::string digits = binary_text(bits, f.bits(), 0);
  out.binary = fmt::format("{} {} {}", digits.substr(0, 1),
                           digits.substr(1, static_cast<std::size_t>(f.exponent_bits)),
                           digits.substr(1 + static_cast<std::size_t>(f.exponent_bits)));
  out.hex = hex_text(bits, f.bits());
  return out;
}

}  // namespace

NumberFormat parse_number_format(std::string_view text) {
  for (const FloatFormat& format :
       {kFp16, kBf16, kFp8E4m3, kFp8E5m2})
    if (text == format.name) return format;
  const std::vector<std::string_view> parts = split(text);
  if (parts[0] == "fixed") return parse_fixed(parts, text);
  if (parts[0].starts_with("int")) return parse_affine(parts, true, text);
  if (parts[0].starts_with("uint")) return parse_affine(parts, false, text);
  throw UsageError("number format", fmt::format("got '{}', expected {}", text, kKnown));
}

Rendered render(double real, const NumberFormat& format) {
  if (std::isnan(real)) throw UsageError("number", "not a number (NaN), expected a real value");
  if (const auto* integers = std::get_if<IntegerNumbers>(&format)) return render_integer(real, *integers);
  return render_float(real, std::get<FloatFormat>(format));
}

}  // namespace halftone::numeric
