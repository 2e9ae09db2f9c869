#include "halftone/numeric/binary_text.h"

#include <fmt/format.h>

namespace halftone::numeric {

std::string binary_text(std::int64_t q, int bits, int fraction_length) {
  std::string digits;
  for (int bit = bits - 1; bit >= 0; --bit) digits += (q >> bit & 1) != 0 ? '1' : '0';
  const char sign = digits.empty() ? '0' : digits.front();
  if (fraction_length < 0) return digits + std::string(static_cast<std::size_t>(-fraction_length), '0');
  if (fraction_length == 0) return digits;
  if (fraction_length >= bits) digits.insert(0, static_cast<std::size_t>(fraction_length - bits + 1), sign);
  return digits.insert(digits.size() - static_cast<std::size_t>(fraction_length), ".");
}

std::string hex_text(std::int64_t q, int bits) {
  const std::uint64_t mask = bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  return fmt::format("0x{:0{}x}", static_cast<std::uint64_t>(q) & mask, (bits + 3) / 4);
}

}  // namespace halftone::numeric
