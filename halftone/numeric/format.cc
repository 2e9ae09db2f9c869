#include "halftone/numeric/format.h"

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone::numeric {

void check(const IntegerFormat& format) {
  if (format.bits < 1 || format.bits > kMaxBits)
    throw UsageError("format",
                     fmt::format("bits out of range, got {}, expected 1 to {}", format.bits, kMaxBits));
  if (format.narrow && (!format.is_signed || format.bits < 2))
    throw UsageError("format", fmt::format("narrow {}, expected a signed format of 2 bits or more",
                                           name_of({format.bits, format.is_signed, false})));
}

std::string name_of(const IntegerFormat& format) {
  return fmt::format("{}int{}{}", format.is_signed ? "" : "u", format.bits, format.narrow ? " narrow" : "");
}

DType storage_dtype(const IntegerFormat& format) {
  if (format.bits <= 2) return format.is_signed ? DType::int2 : DType::uint2;
  if (format.bits <= 4) return format.is_signed ? DType::int4 : DType::uint4;
  if (format.bits <= 8) return format.is_signed ? DType::int8 : DType::uint8;
  return format.is_signed ? DType::int16 : DType::uint16;
}

std::int64_t wrap(std::int64_t x, const IntegerFormat& format) {
  const std::uint64_t low = static_cast<std::uint64_t>(x) & ((std::uint64_t{1} << format.bits) - 1);
  const bool negative = format.is_signed && (low >> (format.bits - 1)) != 0;
  return static_cast<std::int64_t>(low) - (negative ? std::int64_t{1} << format.bits : 0);
}

}  // namespace halftone::numeric
