#include "halftone/base/half.h"

namespace halftone {
namespace {

// x·2^−k to nearest, ties to even.
std::uint32_t shift_rounded(std::uint32_t x, unsigned k) {
  const std::uint32_t half = 1U << (k - 1);
  const std::uint32_t odd = x >> k & 1U;
  return (x + half - 1U + odd) >> k;
}

constexpr std::uint32_t kInfinity = 0x7f800000U;

}  // namespace

float16::float16(float value) {
  const auto word = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(word >> 16 & 0x8000U);
  const std::uint32_t magnitude = word & 0x7fffffffU;
  if (magnitude > kInfinity) {
    bits = sign | 0x7e00U;
  } else if (magnitude >= 0x47800000U) {  // 2^16 and above
    bits = sign | 0x7c00U;
  } else if (magnitude >= 0x38800000U) {  // normal: 2^−14 and above
    bits = static_cast<std::uint16_t>(sign | shift_rounded(magnitude - 0x38000000U, 13));
  } else {
    const unsigned shift = 126U - (magnitude >> 23);  // subnormal: the mantissa moves right
    const std::uint32_t mantissa = (magnitude & 0x7fffffU) | 0x800000U;
    bits = static_cast<std::uint16_t>(sign | (shift > 25U ? 0U : shift_rounded(mantissa, shift)));
  }
}

float16::operator float() const {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  const std::uint32_t exponent = bits >> 10 & 0x1fU;
  const std::uint32_t mantissa = bits & 0x3ffU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 0xffU : exponent + 112U;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

bfloat16::bfloat16(float value) {
  const auto word = std::bit_cast<std::uint32_t>(value);
  const bool nan = (word & 0x7fffffffU) > kInfinity;
  bits = static_cast<std::uint16_t>(nan ? (word >> 16 | 0x40U) : shift_rounded(word, 16));
}

}  // namespace halftone
